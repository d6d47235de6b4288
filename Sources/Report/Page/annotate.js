// The page on which an annotator compares answers. Texts come from the embedded JSON and are inserted as text, never as HTML.
(() => {
"use strict";
const by = id => document.getElementById(id);
const data = JSON.parse(by("annotation").textContent);
const tasks = data.tasks, isRanking = data.form === "ranking";
const letter = place => place < 26 ? String.fromCharCode(65 + place) : String(place + 1);
const key = name => "swift-rlhf annotation " + data.checksum + (name === undefined ? "" : " " + name);
let name = "", place = 0, answers = new Map(), seconds = new Map(), isUnsaved = false, current = 0;

// MARK: Storage in the browser

function tellOfStorage() {
  by("storage").textContent = "This browser cannot store your answers. Download them before you close or reload this page.";
  by("storage").hidden = false;
}
function stored(which) {
  try { return localStorage.getItem(which); } catch { tellOfStorage(); return null; }
}
function keep() {
  try {
    localStorage.setItem(key(), name);
    localStorage.setItem(key(name), JSON.stringify({ answers: [...answers], seconds: [...seconds], isUnsaved }));
  } catch { tellOfStorage(); }
}
const isPosition = value => Number.isInteger(value) && value >= -4 && value <= 4;
function isAnswer(task, value) {
  if (!isRanking) return isPosition(value);
  return Array.isArray(value) && value.length === task.texts.length && value.every(rank => Number.isInteger(rank) && rank >= 1 && rank <= value.length);
}
function restored(who) {
  const result = { answers: new Map(), seconds: new Map(), isUnsaved: false };
  try {
    const found = JSON.parse(stored(key(who)) ?? "{}");
    const [given, taken] = [new Map(found.answers ?? []), new Map(found.seconds ?? [])];
    for (const task of tasks) {
      if (isAnswer(task, given.get(task.id))) result.answers.set(task.id, given.get(task.id));
      if (taken.get(task.id) > 0) result.seconds.set(task.id, taken.get(task.id));
    }
    result.isUnsaved = result.answers.size > 0 && found.isUnsaved !== false;
  } catch { /* skip entries that this page did not write */ }
  return result;
}

// MARK: Time during which the page is visible

let since = null;
function stopClock() {
  if (since === null) return;
  const task = tasks[place];
  if (task) seconds.set(task.id, (seconds.get(task.id) ?? 0) + (performance.now() - since) / 1000);
  since = null;
}
function startClock() { since = place < tasks.length && document.visibilityState === "visible" && name ? performance.now() : null; }
document.addEventListener("visibilitychange", () => {
  if (!name) return;
  if (document.visibilityState === "visible") startClock(); else { stopClock(); keep(); }
});

// MARK: Answers as a file

function lines() {
  return tasks.filter(task => answers.has(task.id)).map(task => JSON.stringify({
    task: task.id, annotator: name, [isRanking ? "ranks" : "slider"]: answers.get(task.id),
    seconds: Math.round((seconds.get(task.id) ?? 0) * 10) / 10
  }) + "\n").join("");
}
function showState() {
  const done = answers.size, left = tasks.length - done;
  const taken = [...answers.keys()].map(id => seconds.get(id) ?? 0).reduce((a, b) => a + b, 0);
  let text = done + " of " + tasks.length + " tasks answered";
  if (done >= 3 && left > 0) {
    const minutes = Math.ceil(taken / done * left / 60);
    text += "; about " + minutes + (minutes === 1 ? " minute" : " minutes") + " left";
  }
  if (by("progress").textContent !== text) by("progress").textContent = text;
  by("bar").value = done;
  by("lines").value = lines();
  by("download").disabled = done === 0;
  by("saved").textContent = done === 0 ? "There are no answers yet."
    : isUnsaved ? (left > 0 ? "Your answers so far are not downloaded. You can download them at any time and then continue." : "Your answers are not downloaded yet: download the file and send it back.")
    : "Your answers are downloaded.";
}
function changed() { isUnsaved = true; keep(); showState(); }
by("download").addEventListener("click", () => {
  stopClock(); startClock();
  showState();
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([lines()], { type: "application/x-ndjson" }));
  link.download = "answers-" + name.replace(/[^\p{L}\p{N}_-]+/gu, "-") + ".jsonl";
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  isUnsaved = false;
  keep(); showState();
});
by("lines").addEventListener("focus", () => by("lines").select());
addEventListener("beforeunload", event => {
  if (!name) return;
  stopClock(); keep(); startClock();
  if (isUnsaved) { event.preventDefault(); event.returnValue = ""; }
});

// MARK: One task

function element(kind, attributes, text) {
  const result = document.createElement(kind);
  for (const [attribute, value] of Object.entries(attributes)) result.setAttribute(attribute, value);
  if (text !== undefined) result.textContent = text;
  return result;
}
/** A radio button with its label. */
function radio(group, value, isChosen, text, hidden, choose) {
  const label = element("label", { class: "choice" });
  const input = element("input", { type: "radio", name: group, value: String(value) });
  input.checked = isChosen;
  input.addEventListener("change", choose);
  const shown = element("span", {}, text);
  if (hidden) shown.append(element("span", { class: "hidden-visually" }, hidden));
  label.append(input, shown);
  return label;
}
function answerCard(title, text) {
  const card = element("section", { class: "answer" });
  card.append(element("h3", {}, title), element("div", { class: "text", dir: "auto" }, text));
  return card;
}
const meaning = ["A is much better", "A is better", "A is rather better", "A is a little better", "neither is better",
  "B is a little better", "B is rather better", "B is better", "B is much better"];
function choosePosition(value) {
  answers.set(tasks[place].id, value);
  for (const input of by("choice").querySelectorAll("input")) input.checked = Number(input.value) === value;
  by("missing").textContent = "";
  changed();
}
function showPair(task) {
  by("texts").append(answerCard("Answer A", task.left), answerCard("Answer B", task.right));
  const field = element("fieldset", {});
  field.append(element("legend", {}, "Which answer is better?"));
  const scale = element("div", { class: "scale" });
  for (let value = -4; value <= 4; value++) {
    const sign = value > 0 ? "+" + value : value < 0 ? "\u2212" + -value : "0";
    scale.append(radio("position", value, answers.get(task.id) === value, sign, ": " + meaning[value + 4], () => choosePosition(value)));
  }
  const ends = element("div", { class: "ends", "aria-hidden": "true" });
  ends.append(element("span", {}, "A much better"), element("span", {}, "no difference"), element("span", {}, "B much better"));
  field.append(scale, ends);
  by("choice").append(field);
}
// the ranks in the current task; 0 for answers without a rank
let ranks = [];
function chooseRank(answer, rank) {
  ranks[answer] = rank;
  for (const input of by("texts").querySelectorAll("input[name='rank-" + answer + "']")) input.checked = Number(input.value) === rank;
  if (ranks.every(given => given > 0)) { answers.set(tasks[place].id, [...ranks]); by("missing").textContent = ""; changed(); }
  const next = ranks.findIndex((given, other) => given === 0 && other > answer);
  point(next >= 0 ? next : ranks.indexOf(0) >= 0 ? ranks.indexOf(0) : answer);
}
function point(answer) {
  current = answer;
  by("texts").querySelectorAll(".answer").forEach((card, number) => {
    card.classList.toggle("current", number === answer);
    if (number === answer) card.setAttribute("aria-current", "true"); else card.removeAttribute("aria-current");
  });
}
function showRanking(task) {
  ranks = [...(answers.get(task.id) ?? task.texts.map(() => 0))];
  task.texts.forEach((text, answer) => {
    const card = answerCard("Answer " + letter(answer), text);
    const field = element("fieldset", {});
    field.append(element("legend", {}, "Rank of answer " + letter(answer)));
    const scale = element("div", { class: "scale" });
    for (let rank = 1; rank <= task.texts.length; rank++) {
      const note = rank === 1 ? ", the best" : rank === task.texts.length ? ", the worst" : "";
      scale.append(radio("rank-" + answer, rank, ranks[answer] === rank, String(rank), note, () => chooseRank(answer, rank)));
    }
    field.append(scale);
    card.append(field);
    by("texts").append(card);
  });
  point(Math.max(0, ranks.indexOf(0)));
}
function show(isFirst) {
  const isOver = place >= tasks.length;
  by("task").hidden = isOver;
  by("missing").textContent = "";
  by("texts").replaceChildren();
  by("choice").replaceChildren();
  by("over").hidden = !isOver;
  if (isOver) {
    by("over-heading").focus({ preventScroll: true });
  } else {
    const task = tasks[place];
    by("heading").textContent = "Task " + (place + 1) + " of " + tasks.length;
    by("prompt").textContent = task.input;
    by("back").disabled = place === 0;
    by("next").textContent = place + 1 < tasks.length ? "Next" : "Finish";
    if (isRanking) showRanking(task); else showPair(task);
    by("heading").focus({ preventScroll: true });
  }
  if (!isFirst) by("work").scrollIntoView({ block: "start" });
  showState();
  startClock();
}
function go(step) {
  if (step > 0 && place < tasks.length && !answers.has(tasks[place].id)) {
    by("missing").textContent = isRanking ? "Give each answer a rank first; equal answers may have the same rank." : "Choose a position first; choose 0 if neither is better.";
    return;
  }
  const target = place + step;
  if (target < 0 || target > tasks.length) return;
  stopClock();
  place = target;
  keep();
  show(false);
}
by("next").addEventListener("click", () => go(1));
by("back").addEventListener("click", () => go(-1));
by("return").addEventListener("click", () => go(-1));
document.addEventListener("keydown", event => {
  if (!name || event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
  const target = event.target;
  if (target.closest("textarea, input:not([type=radio])")) return;
  const pressed = event.key.toLowerCase();
  if (pressed === "enter" && target.closest("button, a, summary")) return;
  const shown = tasks[place];
  if (pressed === "enter" || pressed === "n") go(1);
  else if (pressed === "p") go(-1);
  else if (shown && !isRanking && /^[1-9]$/.test(pressed)) choosePosition(Number(pressed) - 5);
  else if (shown && isRanking && /^[1-9]$/.test(pressed) && Number(pressed) <= shown.texts.length) chooseRank(current, Number(pressed));
  else if (shown && isRanking && /^[a-i]$/.test(pressed) && pressed.charCodeAt(0) - 97 < shown.texts.length) point(pressed.charCodeAt(0) - 97);
  else return;
  event.preventDefault();
});

// MARK: Start

function showKept() {
  const count = restored(by("name").value.trim()).answers.size;
  by("kept").textContent = count > 0 ? "This browser has " + count + " of " + tasks.length + " answers under this name; you will continue where you stopped." : "";
}
by("name").addEventListener("input", showKept);
by("start").addEventListener("submit", event => {
  event.preventDefault();
  const given = by("name").value.trim();
  if (!given) { by("kept").textContent = "Enter a name or a number first."; return; }
  name = given;
  ({ answers, seconds, isUnsaved } = restored(name));
  const open = tasks.findIndex(task => !answers.has(task.id));
  place = open < 0 ? tasks.length : open;
  by("start").hidden = true;
  by("instructions").open = false;
  by("work").hidden = false;
  keep();
  show(true);
});
by("bar").max = tasks.length;
by("name").value = stored(key()) ?? "";
by("start").hidden = false;
showKept();
})();
