// How samples come about, as a film: a Markov chain that goes from noise to the model, or pixels that are drawn one after the other.

import { button, count, labelled, make, tell } from "./elements.js";
import { bitmap } from "./server.js";

const gap = 2;
/** A chain gives so many samples, of which a request's grid has one row. */
const framesAChain = 16;
const chains = 24;
const frameMilliseconds = 160;

/** The films of a model's chains, side by side. Each frame is a sample of the same chain, some steps after the one before. */
export function film(model) {
  const [height, width] = model.shape;
  const columns = 8;
  const canvas = make("canvas", { class: "pixels wide",
    width: columns * (width + gap) - gap, height: chains / columns * (height + gap) - gap,
    role: "img", "aria-label": "Chains that go from noise to samples" });
  const seed = make("input", { type: "number", min: 0, value: 1 });
  const thin = make("input", { type: "number", min: 1, max: 10000, value: 4 });
  const burnIn = make("input", { type: "number", min: 1, max: 100000, value: 1 });
  const where = make("output", { class: "quiet" });
  const place = make("input", { type: "range", min: 0, max: framesAChain - 1, value: 0, input: () => draw(Number(place.value)) });
  let frames = null;
  let isPlaying = false;

  async function load() {
    frames = await bitmap(`/v1/models/${model.id}/samples?count=${chains * framesAChain}&columns=${framesAChain}&seed=${seed.value || 0}`
      + `&burn_in=${burnIn.value || 1}&thin=${thin.value || 1}`);
    draw(0);
  }

  function draw(frame) {
    if (!frames) return;
    const context = canvas.getContext("2d");
    for (let chain = 0; chain < chains; chain += 1) {
      context.drawImage(frames, frame * (width + gap), chain * (height + gap), width, height,
        chain % columns * (width + gap), Math.floor(chain / columns) * (height + gap), width, height);
    }
    place.value = frame;
    where.textContent = `step ${count(Number(burnIn.value) + frame * Number(thin.value))}`;
  }

  async function play() {
    if (isPlaying) return;
    isPlaying = true;
    if (!frames) await load();
    for (let frame = 0; frame < framesAChain && canvas.isConnected; frame += 1) {
      draw(frame);
      await new Promise(resolve => setTimeout(resolve, frameMilliseconds));
    }
    isPlaying = false;
  }

  for (const input of [seed, thin, burnIn]) input.addEventListener("change", () => load().catch(tell));
  load().catch(tell);
  return make("section", { "aria-labelledby": "film-title" }, make("h2", { id: "film-title" }, "The chains at work"),
    make("p", { class: "quiet" }, "Each picture is one chain. They begin at noise; what they come to rest in is the model."),
    make("div", { class: "tools" }, labelled("Seed", seed), labelled("First frame after", burnIn), labelled("Steps a frame", thin)),
    make("figure", { class: "paper" }, canvas),
    make("div", { class: "scrub" }, labelled("Frame", place), where, button("Play", play, { class: "plain" })));
}

/** Whether a model draws its pixels in reading order, so that a picture shows what was known when each was drawn. */
export function drawsInReadingOrder({ taxonomy, configuration }) {
  return taxonomy.at(-1) === "tractable" && (configuration.order ?? "data") === "data" && !configuration.order_agnostic
    && (configuration.orderings ?? 1) === 1;
}

/** Samples of an autoregressive model as they unfold: each pixel is drawn given those before it. */
export function unfolding(model) {
  const [height, width] = model.shape;
  const columns = 8;
  const rows = 3;
  const canvas = make("canvas", { class: "pixels wide", width: columns * (width + gap) - gap, height: rows * (height + gap) - gap,
    role: "img", "aria-label": "Samples, drawn pixel by pixel" });
  const seed = make("input", { type: "number", min: 0, value: 1, change: () => load().catch(tell) });
  const place = make("input", { type: "range", min: 0, max: height * width, value: height * width, input: () => draw() });
  let samples = null;

  async function load() {
    samples = await bitmap(`/v1/models/${model.id}/samples?count=${columns * rows}&columns=${columns}&seed=${seed.value || 0}`);
    draw();
  }

  /** The first pixels of each sample; those to come are left open. */
  function draw() {
    if (!samples) return;
    const context = canvas.getContext("2d");
    const [full, rest] = [Math.floor(place.value / width), place.value % width];
    context.clearRect(0, 0, canvas.width, canvas.height);
    for (let sample = 0; sample < columns * rows; sample += 1) {
      const [x, y] = [sample % columns * (width + gap), Math.floor(sample / columns) * (height + gap)];
      if (full > 0) context.drawImage(samples, x, y, width, full, x, y, width, full);
      if (rest > 0) context.drawImage(samples, x, y + full, rest, 1, x, y + full, rest, 1);
    }
  }

  async function play() {
    if (!samples) await load();
    const stride = Math.max(1, Math.round(height * width / 150));
    for (let pixel = 0; pixel < height * width && canvas.isConnected; pixel += stride) {
      place.value = pixel;
      draw();
      await new Promise(requestAnimationFrame);
    }
    place.value = height * width;
    draw();
  }

  load().catch(tell);
  return make("section", { "aria-labelledby": "unfolding-title" }, make("h2", { id: "unfolding-title" }, "Pixel by pixel"),
    make("p", { class: "quiet" }, "A sample is drawn in reading order: each pixel given those before it."),
    make("div", { class: "tools" }, labelled("Seed", seed)), make("figure", { class: "paper" }, canvas),
    make("div", { class: "scrub" }, labelled("Pixels", place), button("Play", play, { class: "plain" })));
}
