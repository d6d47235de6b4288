// The text browser: searches, filters and sorts the prompts of the page. Texts are inserted only as text nodes.
(() => {
  "use strict";
  const list = document.getElementById("texts-list");
  const source = document.getElementById("texts-data");
  if (!list || !source) return;
  const { systems, metrics, splits } = JSON.parse(source.textContent);
  const pageSize = 20;
  const limit = 4_000_000;

  // MARK: Data

  const prompts = Array.from(list.children).map((element, place) => {
    const columns = Array.from(element.querySelectorAll(".t-system"));
    const means = new Map(columns.map((column) => [
      Number(column.dataset.s),
      column.dataset.m.split(",").map((word) => (word === "" ? NaN : Number(word))),
    ]));
    element.tabIndex = -1;
    return { element, place, columns, means, split: element.dataset.split };
  });
  const originals = new WeakMap();
  const original = (element) => {
    if (!originals.has(element)) originals.set(element, element.textContent);
    return originals.get(element);
  };

  // MARK: Selection, stored in the address

  const initial = { q: "", split: "", sort: "", of: 0, minus: -1, order: "down", diff: -1, hide: new Set(), page: 0 };
  let state = { ...initial, hide: new Set() };
  let hits = prompts;
  let current = -1;
  let keysAreOn = true;

  const written = () => {
    const words = new URLSearchParams();
    if (state.q) words.set("q", state.q);
    if (state.split) words.set("split", state.split);
    if (state.sort !== "") {
      words.set("sort", metrics[state.sort]);
      words.set("of", systems[state.of]);
      if (state.minus >= 0) words.set("minus", systems[state.minus]);
      if (state.order !== "down") words.set("order", state.order);
    }
    if (state.diff >= 0) words.set("diff", systems[state.diff]);
    for (const system of state.hide) words.append("hide", systems[system]);
    if (state.page > 0) words.set("page", String(state.page + 1));
    return words.toString();
  };
  const read = (text) => {
    const words = new URLSearchParams(text);
    const place = (names, word, otherwise) => (names.includes(words.get(word)) ? names.indexOf(words.get(word)) : otherwise);
    state = {
      q: words.get("q") ?? "",
      split: splits.some(([slug]) => slug === words.get("split")) ? words.get("split") : "",
      sort: place(metrics, "sort", ""),
      of: place(systems, "of", 0),
      minus: place(systems, "minus", -1),
      order: words.get("order") === "up" ? "up" : "down",
      diff: place(systems, "diff", -1),
      hide: new Set(words.getAll("hide").map((name) => systems.indexOf(name)).filter((system) => system >= 0)),
      page: Math.max(0, (Number.parseInt(words.get("page") ?? "1", 10) || 1) - 1),
    };
  };
  const setAddress = (fragment) => {
    // some browsers forbid this for local files
    try { history.replaceState(null, "", `#${fragment}`); } catch { location.replace(`#${fragment}`); }
  };

  // MARK: Searching

  // The text in lower case without marks and compatibility forms, and the position in the original text of each of its code units.
  const folded = (text) => {
    if (/^[\x00-\x7f]*$/.test(text)) return { text: text.toLowerCase(), places: null };
    const units = [];
    const places = [];
    let place = 0;
    for (const letter of text) {
      const plain = letter.normalize("NFKD").toLowerCase().replace(/\p{M}/gu, "");
      units.push(plain);
      for (let unit = 0; unit < plain.length; unit += 1) places.push(place);
      place += letter.length;
    }
    places.push(place);
    return { text: units.join(""), places };
  };
  const fold = new WeakMap();
  const foldedText = (element) => {
    if (!fold.has(element)) fold.set(element, folded(original(element)));
    return fold.get(element);
  };
  const searched = (prompt) => {
    prompt.fixed ??= Array.from(prompt.element.querySelectorAll(".t-id, .t-input .text, .t-reference .text"));
    prompt.texts ??= prompt.columns.map((column) => [Number(column.dataset.s), Array.from(column.querySelectorAll(".text"))]);
    const shown = prompt.texts.filter(([system]) => !state.hide.has(system)).flatMap(([, texts]) => texts);
    return [...prompt.fixed, ...shown];
  };
  const ranges = (element, query) => {
    if (!query) return [];
    const { text, places } = foldedText(element);
    const found = [];
    for (let at = text.indexOf(query); at >= 0 && found.length < 1000; at = text.indexOf(query, at + query.length)) {
      const end = at + query.length;
      // combining marks after the last letter belong to it
      found.push(places ? [places[at], places[end] ?? original(element).length] : [at, end]);
    }
    return found;
  };

  // MARK: Differences

  const words = (text) => Array.from(text.matchAll(/[\p{L}\p{N}\p{M}_]+|[^\s\p{L}\p{N}\p{M}_]/gu), (match) => ({
    text: match[0], start: match.index, end: match.index + match[0].length,
  }));
  // The positions of the words of a longest common subsequence in two texts; null if computing it would take too long.
  const common = (first, second) => {
    const kept = [new Set(), new Set()];
    let start = 0;
    let [a, b] = [first.length, second.length];
    const keep = (x, y) => { kept[0].add(x); kept[1].add(y); };
    while (start < a && start < b && first[start].text === second[start].text) { keep(start, start); start += 1; }
    while (a > start && b > start && first[a - 1].text === second[b - 1].text) { a -= 1; b -= 1; keep(a, b); }
    const [rows, columns] = [a - start, b - start];
    if (rows * columns > limit || Math.min(rows, columns) > 65_000) return null;
    const width = columns + 1;
    const lengths = new Uint16Array((rows + 1) * width);
    for (let x = rows - 1; x >= 0; x -= 1) {
      for (let y = columns - 1; y >= 0; y -= 1) {
        lengths[x * width + y] = first[start + x].text === second[start + y].text
          ? lengths[(x + 1) * width + y + 1] + 1
          : Math.max(lengths[(x + 1) * width + y], lengths[x * width + y + 1]);
      }
    }
    for (let x = 0, y = 0; x < rows && y < columns;) {
      if (first[start + x].text === second[start + y].text) { keep(start + x, start + y); x += 1; y += 1; }
      else if (lengths[(x + 1) * width + y] >= lengths[x * width + y + 1]) x += 1;
      else y += 1;
    }
    return kept;
  };
  // The words that are not kept, as ranges of the text; adjacent words are merged.
  const missing = (all, kept) => {
    const found = [];
    let last = -2;
    all.forEach((word, place) => {
      if (kept.has(place)) return;
      if (last === place - 1) found[found.length - 1][1] = word.end; else found.push([word.start, word.end]);
      last = place;
    });
    return found;
  };
  // For each text, the ranges that differ from the first sample of the reference system; in that sample, the ranges that no other text has.
  const differences = (prompt) => {
    const result = new Map();
    if (state.diff < 0) return result;
    const firsts = prompt.columns.filter((column) => !state.hide.has(Number(column.dataset.s)))
      .map((column) => [Number(column.dataset.s), column.querySelector(".t-sample .text")]).filter(([, text]) => text);
    const base = firsts.find(([system]) => system === state.diff);
    if (!base) return result;
    const baseWords = words(original(base[1]));
    const keptByAny = new Set();
    let isCompared = false;
    for (const [system, text] of firsts) {
      if (system === state.diff) continue;
      const own = words(original(text));
      const kept = common(baseWords, own);
      if (!kept) continue;
      isCompared = true;
      for (const place of kept[0]) keptByAny.add(place);
      result.set(text, missing(own, kept[1]));
    }
    if (isCompared) result.set(base[1], missing(baseWords, keptByAny));
    return result;
  };

  // MARK: Rendering

  // Renders the text of an element again, with marks around ranges.
  const mark = (element, found, fresh) => {
    if (!found.length && !fresh.length) {
      if (element.firstElementChild) element.replaceChildren(original(element));
      return;
    }
    const text = original(element);
    const cuts = Array.from(new Set([0, text.length, ...found.flat(), ...fresh.flat()])).sort((a, b) => a - b);
    const inside = (all) => {
      let next = 0;
      return (place) => {
        while (next < all.length && all[next][1] <= place) next += 1;
        return next < all.length && all[next][0] <= place;
      };
    };
    const [isHit, isNew] = [inside(found), inside(fresh)];
    const parts = [];
    for (let index = 0; index + 1 < cuts.length; index += 1) {
      const part = text.slice(cuts[index], cuts[index + 1]);
      const names = [isHit(cuts[index]) && "t-hit", isNew(cuts[index]) && "t-new"].filter(Boolean);
      if (names.length) {
        const piece = document.createElement("mark");
        piece.className = names.join(" ");
        piece.textContent = part;
        parts.push(piece);
      } else parts.push(part);
    }
    element.replaceChildren(...parts);
  };
  const value = (prompt) => {
    const one = prompt.means.get(state.of)?.[state.sort] ?? NaN;
    return state.minus < 0 ? one : one - (prompt.means.get(state.minus)?.[state.sort] ?? NaN);
  };
  const choose = () => {
    const query = folded(state.q).text;
    hits = prompts.filter((prompt) => (!state.split || prompt.split === state.split)
      && prompt.columns.some((column) => !state.hide.has(Number(column.dataset.s)))
      && (!query || searched(prompt).some((element) => foldedText(element).text.includes(query))));
    if (state.sort !== "") {
      const sign = state.order === "up" ? 1 : -1;
      const values = new Map(hits.map((prompt) => [prompt, value(prompt)]));
      hits = hits.slice().sort((a, b) => {
        const [x, y] = [values.get(a), values.get(b)];
        // prompts without a value come last
        if (Number.isNaN(x) || Number.isNaN(y)) return Number.isNaN(x) - Number.isNaN(y) || a.place - b.place;
        return sign * (x - y) || a.place - b.place;
      });
    }
    state.page = Math.min(state.page, Math.max(0, Math.ceil(hits.length / pageSize) - 1));
  };
  const show = () => {
    const query = folded(state.q).text;
    const visible = hits.slice(state.page * pageSize, (state.page + 1) * pageSize);
    const chosen = new Set(visible);
    for (const prompt of prompts) if (!chosen.has(prompt)) prompt.element.hidden = true;
    for (const prompt of visible) {
      prompt.element.hidden = false;
      for (const column of prompt.columns) column.hidden = state.hide.has(Number(column.dataset.s));
      const fresh = differences(prompt);
      for (const element of searched(prompt)) {
        const found = ranges(element, query);
        mark(element, found, fresh.get(element) ?? []);
        // open a closed section that contains a match
        if (found.length) { const part = element.closest("details"); if (part) part.open = true; }
      }
    }
    list.append(...visible.map((prompt) => prompt.element));
    current = -1;
    const first = hits.length ? state.page * pageSize + 1 : 0;
    const last = Math.min(hits.length, (state.page + 1) * pageSize);
    const shown = hits.length > pageSize ? `; ${first} to ${last} are shown` : "";
    const count = `${hits.length} of ${prompts.length} prompts${shown}`;
    if (status.textContent !== count) status.textContent = count;
    for (const pager of pagers) {
      pager.back.disabled = state.page === 0;
      pager.on.disabled = last >= hits.length;
      pager.bar.hidden = hits.length <= pageSize;
      pager.text.textContent = `${first}–${last} of ${hits.length}`;
    }
  };
  const update = ({ keepsPage = false, keepsAddress = false } = {}) => {
    if (!keepsPage) state.page = 0;
    choose();
    show();
    fill();
    if (!keepsAddress) { const words = written(); setAddress(words ? `texts:${words}` : "texts"); }
  };

  // MARK: Controls

  const make = (tag, properties = {}, ...children) => {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  };
  const options = (choices) => choices.map(([value, text]) => make("option", { value: String(value) }, text));
  const select = (title, choices, change, className = "") => {
    const control = make("select", {}, ...options(choices));
    control.addEventListener("change", () => { change(control.value); update(); });
    return [make("label", { className }, make("span", {}, title), control), control];
  };
  const numbered = systems.map((name, place) => [place, name]);
  const search = make("input", { type: "search", id: "texts-search", spellcheck: false, autocomplete: "off" });
  let waiting = 0;
  search.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => { state.q = search.value; update(); }, 120);
  });
  const [splitLabel, splitSelect] = select("Split", [["", "all"], ...splits], (word) => { state.split = word; }, "t-half");
  const [sortLabel, sortSelect] = select("Sort by", [["", "order in the data"], ...metrics.map((name, place) => [place, name])],
    (word) => { state.sort = word === "" ? "" : Number(word); }, "t-half");
  const [ofLabel, ofSelect] = select("of", numbered, (word) => { state.of = Number(word); }, "t-half");
  const [minusLabel, minusSelect] = select("minus that of", [[-1, "nothing"], ...numbered], (word) => { state.minus = Number(word); }, "t-half");
  const [orderLabel, orderSelect] = select("Order", [["down", "largest first"], ["up", "smallest first"]], (word) => { state.order = word; },
    "t-half");
  const [diffLabel, diffSelect] = select("Underline differences from", [[-1, "none"], ...numbered], (word) => { state.diff = Number(word); },
    "t-half");
  const boxes = systems.map((name, place) => {
    const box = make("input", { type: "checkbox", checked: true });
    box.addEventListener("change", () => { if (box.checked) state.hide.delete(place); else state.hide.add(place); update(); });
    return [make("label", {}, box, " ", make("bdi", {}, name)), box];
  });
  const keys = make("input", { type: "checkbox", checked: true });
  keys.addEventListener("change", () => { keysAreOn = keys.checked; });
  const reset = make("button", { type: "button" }, "Reset");
  reset.addEventListener("click", () => { state = { ...initial, hide: new Set() }; update(); });
  const status = make("p", { id: "texts-status", className: "quiet", role: "status" });
  const turn = (step, goesToTop) => {
    state.page += step;
    update({ keepsPage: true });
    if (goesToTop) focus(step > 0 ? 0 : Math.min(pageSize, hits.length - state.page * pageSize) - 1);
  };
  const pager = (title) => {
    const back = make("button", { type: "button" }, "Previous page");
    const on = make("button", { type: "button" }, "Next page");
    const text = make("span", { className: "quiet" });
    back.addEventListener("click", () => { turn(-1); focus(0); });
    on.addEventListener("click", () => { turn(1); focus(0); });
    const bar = make("div", { className: "t-bar" }, back, text, on);
    bar.setAttribute("role", "group");
    bar.setAttribute("aria-label", title);
    return { back, on, text, bar };
  };
  const pagers = [pager("Pages of texts")];
  const key = (word) => make("kbd", {}, word);
  document.getElementById("texts-controls").append(
    make("div", { className: "t-bar" }, make("label", {}, make("span", {}, "Search prompts, references and responses"), search),
      splitLabel, diffLabel),
    make("div", { className: "t-bar" }, sortLabel, ofLabel, minusLabel, orderLabel, reset),
    make("fieldset", { className: "t-systems-chosen" }, make("legend", {}, "Systems"), ...boxes.map(([label]) => label)),
    make("p", { className: "t-help quiet" }, make("label", {}, keys, " keys: "), key("/"), " search, ", key("j"), " and ", key("k"),
      " next and previous prompt, ", key("Esc"), " clears the search. Sorting uses the mean over a system’s samples."),
    status,
  );
  document.getElementById("texts-pages").append(pagers[0].bar);
  const fill = () => {
    if (document.activeElement !== search || !state.q) search.value = state.q;
    splitSelect.value = state.split;
    sortSelect.value = String(state.sort);
    ofSelect.value = String(state.of);
    minusSelect.value = String(state.minus);
    orderSelect.value = state.order;
    diffSelect.value = String(state.diff);
    boxes.forEach(([, box], place) => { box.checked = !state.hide.has(place); });
    for (const control of [ofSelect, minusSelect, orderSelect]) control.disabled = state.sort === "";
  };

  // MARK: Keys and links

  const focus = (place) => {
    const prompt = hits[state.page * pageSize + place];
    if (!prompt) return;
    current = place;
    prompt.element.focus({ preventScroll: true });
    prompt.element.scrollIntoView({ block: "start" });
  };
  const step = (by) => {
    const inside = document.activeElement?.closest?.(".t-prompt");
    const at = hits.slice(state.page * pageSize, (state.page + 1) * pageSize).findIndex((prompt) => prompt.element === inside);
    const next = (at >= 0 ? at : current < 0 && by < 0 ? 0 : current) + by;
    const count = Math.min(pageSize, hits.length - state.page * pageSize);
    if (next >= 0 && next < count) focus(next);
    else if (next >= count && (state.page + 1) * pageSize < hits.length) turn(1, true);
    else if (next < 0 && state.page > 0) turn(-1, true);
  };
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
    if (event.target === search && event.key === "Escape") {
      event.preventDefault();
      clearTimeout(waiting);
      state.q = "";
      search.value = "";
      update();
      search.blur();
      return;
    }
    if (!keysAreOn || event.target.closest?.("input:not([type=checkbox]), select, textarea, [contenteditable]")) return;
    if (event.key === "/") { event.preventDefault(); search.focus(); search.select(); }
    else if (event.key === "j") { event.preventDefault(); step(1); }
    else if (event.key === "k") { event.preventDefault(); step(-1); }
  });
  // A link to a prompt shows it regardless of the current filters.
  const follow = () => {
    let fragment = location.hash.slice(1);
    if (fragment.startsWith("texts:")) {
      read(fragment.slice("texts:".length));
      update({ keepsPage: true, keepsAddress: true });
      document.getElementById("texts")?.scrollIntoView();
      return;
    }
    try { fragment = decodeURIComponent(fragment); } catch { return; }
    const prompt = prompts.find(({ element }) => element.id === fragment);
    if (!prompt) return;
    if (!hits.includes(prompt)) { state = { ...initial, hide: new Set() }; choose(); }
    state.page = Math.floor(hits.indexOf(prompt) / pageSize);
    update({ keepsPage: true, keepsAddress: true });
    focus(hits.indexOf(prompt) % pageSize);
  };
  addEventListener("hashchange", follow);
  // print all prompts that match the filters, with all sections open
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = Array.from(list.querySelectorAll("details:not([open])"));
    for (const part of closed) part.open = true;
    for (const prompt of hits) prompt.element.hidden = false;
  });
  addEventListener("afterprint", () => { for (const part of closed) part.open = false; show(); });
  update({ keepsAddress: true });
  follow();
})();
