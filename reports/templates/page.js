"use strict";
// Adds to a page that is complete without it: values of marks under pointer, finger and arrow keys,
// arms switched on and off, tables to copy and to keep. It fetches nothing and stores nothing.
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const make = (tag, properties = {}, ...children) => {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  };

  // What was done: shown for a while, read out.
  const toast = make("p", { className: "toast", role: "status" });
  let clearing;
  const say = (text) => {
    toast.textContent = text;
    clearTimeout(clearing);
    clearing = setTimeout(() => { toast.textContent = ""; }, 5000);
  };

  // ---- Tables and text, as Markdown and CSV ----

  const plain = (element) => {
    const copy = element.cloneNode(true);
    all("[aria-hidden=true], .tools", copy).forEach((each) => each.remove());
    all("br", copy).forEach((each) => each.replaceWith(" "));
    all("small", copy).forEach((each) => each.replaceWith(` (${each.textContent})`));
    return copy.textContent.replace(/\s+/g, " ").trim(); // no-break space too
  };

  // Rows of plain cells. A small line that the head has too is a column of its own.
  const cells = (table) => {
    const twofold = [...table.tHead.rows[0].cells].map((each) => each.querySelector("small"));
    const split = (cell, number) => {
      if (!twofold[number]) return [plain(cell)];
      const value = cell.cloneNode(true);
      const beside = value.querySelector("small");
      if (beside) beside.remove();
      return [plain(value), beside ? plain(beside) : ""];
    };
    return [...table.rows].map((row) => [...row.cells].flatMap(split));
  };

  const escaped = (text) => text.replace(/[\\`*_[\]<>|~$&@]/g, "\\$&");
  const markdownTable = (table) => {
    const [head, ...rows] = cells(table).map((row) => `| ${row.map(escaped).join(" | ")} |`);
    return [head, head.replace(/(\\\||[^|])+/g, " --- "), ...rows].join("\n");
  };
  const STARTS = { H1: "# ", H2: "## ", H3: "### ", LI: "- " };
  // Headings, paragraphs, lists and tables; of what is folded, only the numbers of a figure.
  const markdown = (root) => all("h1, h2, h3, p, li, table", root)
    .filter((each) => !each.closest("details") || each.closest("figure") === root)
    .map((each) => each.tagName === "TABLE"
      ? markdownTable(each) : (STARTS[each.tagName] || "") + escaped(plain(each)))
    .join("\n\n").replace(/^(- .*)\n\n(?=- )/gm, "$1\n");

  // RFC 4180, with a plain minus. What a spreadsheet may run is quoted: all but numbers, intervals.
  const FORMULA = /^([=@]|[+-](?![\d.,%]+( to [+-]?[\d.,%]+)?$))/;
  const csvCell = (cell) => {
    const safe = cell.replace(/\u2212(?=\d)/g, "-").replace(FORMULA, "'$&");
    return /[",\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  };
  const csv = (table) => cells(table).map((row) => row.map(csvCell).join(",")).join("\r\n") + "\r\n";

  const copied = async (text) => {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch { // not a secure context, or not allowed: the old way
      const focused = document.activeElement;
      const area = make("textarea", { value: text, className: "away" });
      document.body.append(area);
      area.select();
      const done = document.execCommand("copy");
      area.remove();
      focused?.focus();
      return done;
    }
  };
  const copy = async (text, name) => say(await copied(text)
    ? `Copied as Markdown: ${name}` : "The browser did not allow it to be copied");

  const download = (name, type, text) => {
    const href = URL.createObjectURL(new Blob([text], { type }));
    make("a", { href, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(href), 10000);
    say(`Handed to the browser as ${name}`);
  };

  const button = (label, name, act) => {
    const ariaLabel = `${label}: ${name}`;
    const made = make("button", { type: "button", textContent: label, ariaLabel });
    made.addEventListener("click", act);
    return made;
  };
  const tools = (name, file, table, text) => make("div", { className: "tools" },
    button("Copy as Markdown", name, () => copy(text(), name)),
    button("Download CSV", name, () => download(`${file}.csv`, "text/csv", csv(table))));
  const fileName = (name) => name.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "-").slice(0, 60);

  const addTools = () => {
    for (const figure of all("figure")) {
      const name = plain(figure.querySelector("h3"));
      const table = figure.querySelector("table");
      figure.querySelector(".caption").after(
        tools(name, figure.id, table, () => markdown(figure)));
    }
    for (const region of all(".scroll").filter((each) => !each.closest("figure"))) {
      const name = region.getAttribute("aria-label");
      const table = region.querySelector("table");
      region.after(tools(name, fileName(name), table, () => markdownTable(table)));
    }
    const data = document.getElementById("data");
    const file = data.dataset.name;
    const folded = all("details");
    const open = make("button", { type: "button", textContent: "Open every table" });
    open.addEventListener("click", () => {
      const closed = folded.some((each) => !each.open);
      folded.forEach((each) => { each.open = closed; });
      open.textContent = closed ? "Close every table" : "Open every table";
    });
    document.querySelector("nav.contents").append(make("div", { className: "tools" },
      button("Copy the answer as Markdown", "headline and verdicts", () => copy(
        [...all("h1"), ...all(".notice, #answer")].map((each) => each.tagName === "H1"
          ? `# ${escaped(plain(each))}` : markdown(each)).join("\n\n") + "\n", "the answer")),
      button(`Download ${file}`, "the data of this page",
        () => download(file, "application/json", data.textContent)),
      open));
  };

  // ---- Arms, on and off in all charts at once ----

  const addArms = () => {
    const arms = JSON.parse(document.body.dataset.arms);
    const turn = (number, on) => {
      all(`[data-arm="${number}"]`).forEach((each) => each.classList.toggle("off", !on));
      all(`input[data-of="${number}"]`).forEach((each) => { each.checked = on; });
      hide();
    };
    const chip = (number) => {
      const [name, symbol] = arms[number];
      const box = make("input", { type: "checkbox", checked: true });
      box.dataset.of = number;
      box.addEventListener("change", () => turn(number, box.checked));
      const className = `mark arm-${number % 6}`;
      const mark = make("span", { className, textContent: symbol, ariaHidden: "true" });
      return make("label", {}, box, mark, ` ${name}`);
    };
    for (const chart of all(".chart")) {
      const drawn = new Set(all("[data-arm]", chart).map((each) => Number(each.dataset.arm)));
      const numbers = [...drawn].filter((each) => each in arms).sort((a, b) => a - b);
      if (numbers.length < 2) continue;
      chart.before(make("fieldset", { className: "chips" },
        make("legend", { className: "away", textContent: "Arms shown in all charts" }),
        ...numbers.map(chip)));
    }
  };

  // ---- Values of marks: pointer, finger, arrow keys ----

  const THIN_PX = 24; // a mark this thin is met beside it too
  const NEAR_PX = { mouse: 12, pen: 16, touch: 28 };
  const tip = make("div", { className: "tip", role: "status" });
  const ring = make("div", { className: "ring" });
  let shown = null;

  const hide = () => {
    shown = null;
    tip.remove();
    ring.remove();
  };
  const show = (chart, marks, text = marks.map((each) => each.dataset.tip).join("\n")) => {
    [shown = null] = marks;
    chart.append(tip);
    tip.textContent = text;
    const frame = chart.getBoundingClientRect();
    const box = (shown || chart).getBoundingClientRect();
    const middle = box.left + box.width / 2 - frame.left;
    const above = box.top - frame.top - tip.offsetHeight - 10;
    const left = Math.min(middle - tip.offsetWidth / 2, frame.width - tip.offsetWidth);
    tip.style.left = `${Math.max(0, left)}px`;
    tip.style.top = `${shown ? (above < 0 ? box.bottom - frame.top + 10 : above) : 0}px`;
    if (!shown || Math.min(box.width, box.height) > THIN_PX) return ring.remove();
    chart.append(ring);
    ring.style.left = `${middle}px`;
    ring.style.top = `${box.top + box.height / 2 - frame.top}px`;
  };

  const marksOf = (chart) => all("[data-tip]", chart).filter((each) => !each.closest(".off"));
  const distance = (box, x, y) => Math.hypot(
    Math.max(box.left - x, 0, x - box.right), Math.max(box.top - y, 0, y - box.bottom));
  // The nearest of what is thin, the smaller first, with points that lie on it; else what is hit.
  const at = (chart, event) => {
    const near = marksOf(chart)
      .map((mark) => ({ mark, box: mark.getBoundingClientRect() }))
      .filter(({ box }) => Math.min(box.width, box.height) < THIN_PX)
      .map(({ mark, box }) => ({
        mark, size: box.width + box.height, away: distance(box, event.clientX, event.clientY),
      }))
      .filter(({ away }) => away <= (NEAR_PX[event.pointerType] || NEAR_PX.mouse))
      .sort((a, b) => a.away - b.away || a.size - b.size);
    if (!near.length) return [event.target.closest("[data-tip]")].filter(Boolean);
    const point = ({ size, away }) => size < 2 * THIN_PX && away < near[0].away + 4;
    return near.filter((each, n) => n === 0 || (point(near[0]) && point(each)))
      .slice(0, 5).map(({ mark }) => mark);
  };
  // As drawn, but what crosses half of the chart (a line of one instance) last.
  const walked = (chart) => {
    const wide = (mark) => mark.getBoundingClientRect().width > chart.clientWidth / 2;
    const marks = marksOf(chart);
    return [...marks.filter((each) => !wide(each)), ...marks.filter(wide)];
  };
  const STEPS = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, Home: 0, End: 0 };
  const walk = (chart, key) => {
    const marks = walked(chart);
    const from = marks.indexOf(shown);
    if (key === "Home") return marks[0];
    if (key === "End" || (from < 0 && STEPS[key] < 0)) return marks.at(-1);
    return marks[(from + STEPS[key] + marks.length) % marks.length];
  };

  const addTips = () => {
    for (const chart of all(".chart")) {
      const told = all("svg * > title", chart);
      if (!told.length) continue;
      told.forEach((each) => { each.parentNode.dataset.tip = each.textContent; });
      all("title", chart).forEach((each) => each.remove()); // or browsers show them
      const title = plain(chart.closest("figure").querySelector("h3"));
      Object.assign(chart, {
        tabIndex: 0, role: "application", ariaRoleDescription: "chart",
        ariaLabel: `${title}. Arrow keys read its values.`,
      });
      const point = (event) => {
        const marks = at(chart, event);
        if (marks.length) show(chart, marks); else hide();
      };
      for (const each of ["pointerdown", "pointermove"]) chart.addEventListener(each, point);
      chart.addEventListener("pointerleave", (event) => {
        if (event.pointerType !== "touch") hide();
      });
      chart.addEventListener("focus", () => {
        if (chart.matches(":focus-visible") && !shown) show(chart, [], "← → read the values");
      });
      chart.addEventListener("blur", hide);
      chart.addEventListener("keydown", (event) => {
        if (!(event.key in STEPS)) return;
        event.preventDefault();
        const mark = walk(chart, event.key);
        if (mark) show(chart, [mark]);
      });
    }
    document.addEventListener("keydown", (event) => { if (event.key === "Escape") hide(); });
    document.addEventListener("pointerdown", (event) => {
      if (!event.target.closest(".chart")) hide();
    });
  };

  // The list of all runs is in the folder above every page in a folder of `results`.
  const addHome = () => {
    if (location.pathname.split("/").at(-3) !== "results") return;
    const link = make("a", { href: "../index.html", textContent: "All runs" });
    document.querySelector(".overline").prepend(link, " · ");
  };

  document.body.append(toast);
  addHome();
  addTools();
  addArms();
  addTips();
})();
