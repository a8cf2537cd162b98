// A form made of a JSON Schema, as the server tells of a family's configuration and of training. A field that is left empty is not sent:
// the server's default, which stands there in grey, is then the one in force.

import { freshID, make } from "./elements.js";

/** `hidden_layers` as `Hidden layers`. */
const title = name => name.replaceAll("_", " ").replace(/^./, letter => letter.toUpperCase());

const shown = value => Array.isArray(value) ? value.join(", ") : value === undefined ? "" : String(value);

export class SchemaForm {
  /**
   * @param pointer where the object stands in the request, as `/training`.
   * @param names the fields to show, in their order; all of them where it is left out.
   */
  constructor(schema, pointer, onChange, names = null) {
    this.pointer = pointer;
    this.fields = new Map();
    for (const name of names ?? Object.keys(schema.properties)) {
      const property = schema.properties[name];
      if (property && name !== "preset") this.fields.set(name, new Field(name, property, onChange));
    }
    this.element = make("div", { class: "fields" }, [...this.fields.values()].map(field => field.element));
  }

  /** What is given, and differs from the default. */
  get value() {
    const value = {};
    for (const [name, field] of this.fields) if (field.value !== undefined) value[name] = field.value;
    return value;
  }

  /** Gives these fields, and takes back the others. */
  set value(values) { for (const [name, field] of this.fields) field.value = values[name]; }

  /** Shows the faults of a request at their fields, and returns those that belong to none here. */
  show(faults) {
    for (const field of this.fields.values()) field.fault = "";
    return faults.filter(fault => {
      const [name] = (fault.pointer ?? "").startsWith(`${this.pointer}/`) ? fault.pointer.slice(this.pointer.length + 1).split("/") : [""];
      const field = this.fields.get(name);
      if (field) field.fault = fault.detail;
      return !field;
    });
  }
}

class Field {
  constructor(name, property, onChange) {
    this.property = property;
    const id = freshID(name);
    this.control = this.makeControl(id);
    this.control.id = id;
    this.control.setAttribute("aria-describedby", `${id}-fault ${id}-hint`);
    this.control.addEventListener("input", onChange);
    this.note = make("p", { class: "fault", id: `${id}-fault` });
    const label = make("label", { for: id }, title(name));
    const isSwitch = property.type === "boolean";
    this.element = make("div", { class: isSwitch ? "field switch" : "field" },
      isSwitch ? [this.control, label] : [label, this.control], this.note,
      make("p", { class: "hint", id: `${id}-hint` }, property.description));
  }

  makeControl() {
    const { type, minimum, maximum, exclusiveMinimum } = this.property;
    const placeholder = this.property.default === undefined ? "not set" : shown(this.property.default);
    if (this.property.enum) {
      return make("select", {}, this.property.enum.map(choice =>
        make("option", { value: choice, selected: choice === this.property.default }, choice.replaceAll("_", " "))));
    }
    if (type === "boolean") return make("input", { type: "checkbox", checked: this.property.default === true });
    if (type === "array") return make("input", { type: "text", inputmode: "numeric", placeholder, autocomplete: "off" });
    return make("input", { type: "number", min: minimum ?? exclusiveMinimum, max: maximum, step: type === "integer" ? 1 : "any",
      placeholder });
  }

  /** What is given; undefined where it is the default. What is no number goes as the text that it is, for the server to say so. */
  get value() {
    const { type } = this.property;
    if (type === "boolean") return this.unlessDefault(this.control.checked);
    const text = this.control.value.trim();
    if (text === "") return this.control.validity.badInput ? "not a number" : undefined;
    if (this.property.enum) return this.unlessDefault(text);
    if (type === "array") {
      const parts = text.split(/[\s,x×]+/).filter(part => part);
      return parts.map(part => Number.isFinite(Number(part)) ? Number(part) : part);
    }
    return this.unlessDefault(Number(text));
  }

  set value(value) {
    const given = value ?? (this.property.enum || this.property.type === "boolean" ? this.property.default : undefined);
    if (this.property.type === "boolean") this.control.checked = given === true;
    else this.control.value = shown(given);
  }

  unlessDefault(value) { return value === this.property.default ? undefined : value; }

  set fault(text) {
    this.note.textContent = text;
    if (text) this.control.setAttribute("aria-invalid", "true");
    else this.control.removeAttribute("aria-invalid");
  }
}
