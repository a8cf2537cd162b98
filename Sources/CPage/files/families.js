// The textbook's tree of generative models, to choose a leaf of.

import { freshID, make } from "./elements.js";

const branchWords = {
  explicit: ["Explicit density", "they can tell how likely an example is"],
  tractable: ["Tractable", "exactly"],
  approximate: ["Approximate", "by a bound or an estimate"],
  variational: ["Variational", ""],
  implicit: ["Implicit density", "they give samples and nothing else"],
  direct: ["Direct", "one pass"],
  markov_chain: ["Markov chain", "step by step"],
};

export const likelihoodWords = { exact: "exact", bound: "bound", estimate: "estimate", none: "no likelihood" };

/**
 * A fieldset of radio buttons in the shape of the tree.
 *
 * @param families as the server lists them; one whose `fit` is null can't be chosen, and says why.
 * @param onChoose gets the family.
 */
export function tree(families, chosen, onChoose) {
  const root = { name: null, branches: new Map(), leaves: [] };
  for (const family of families) {
    let node = root;
    for (const name of family.taxonomy) {
      if (!node.branches.has(name)) node.branches.set(name, { name, branches: new Map(), leaves: [] });
      node = node.branches.get(name);
    }
    node.leaves.push(family);
  }
  return make("fieldset", { class: "tree" }, make("legend", {}, "Kind of model"),
    make("div", { class: "branches" }, [...root.branches.values()].map(node => branch(node, chosen, onChoose))));
}

function branch(node, chosen, onChoose) {
  const [title, note] = branchWords[node.name] ?? [node.name, ""];
  const id = freshID("branch");
  return make("div", { class: `branch ${node.name}`, role: "group", "aria-labelledby": id },
    make("p", { class: "branch-name", id }, make("strong", {}, title), note && make("span", { class: "quiet" }, ` ${note}`)),
    node.branches.size > 0 && make("div", { class: "branches" }, [...node.branches.values()].map(inner => branch(inner, chosen, onChoose))),
    node.leaves.length > 0 && make("div", { class: "leaves" }, node.leaves.map(family => leaf(family, chosen, onChoose))));
}

function leaf(family, chosen, onChoose) {
  const id = freshID("family");
  const cannot = family.fit === null;
  return make("div", { class: "leaf" },
    make("input", { type: "radio", name: "family", id, value: family.name, checked: family.name === chosen, disabled: cannot,
      "aria-describedby": `${id}-more`, change: () => onChoose(family) }),
    make("label", { for: id }, make("span", { class: "leaf-name" }, family.title),
      make("span", { class: `likelihood ${family.likelihood.kind}` }, likelihoodWords[family.likelihood.kind])),
    make("p", { class: "leaf-more", id: `${id}-more` }, cannot ? `Not for these data: ${family.refusal}.` : family.summary));
}

/** What a family is honest about, for the one that is chosen. */
export function familyNote(family) {
  return make("div", { class: "family-note" },
    make("p", {}, make("strong", {}, "Likelihood. "), family.likelihood.detail),
    make("p", {}, make("strong", {}, "Samples. "), family.sampling),
    make("p", { class: "quiet" }, family.paper));
}
