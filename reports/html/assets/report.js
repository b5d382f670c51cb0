"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const one = (selector, root = document) => root.querySelector(selector);

  function make(tag, attributes = {}, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.append(...children);
    return node;
  }

  function number(value) {
    if (value === null || !Number.isFinite(value)) return "unknown";
    const size = Math.abs(value);
    if (size >= 1e9 || (size > 0 && size < 1e-4)) return value.toPrecision(3);
    if (size >= 1000) return Math.round(value).toLocaleString("en");
    return String(Number(value.toPrecision(4)));
  }

  // Light and dark.
  const root = document.documentElement, theme = one("#theme");
  const isDark = () => (root.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  const nameTheme = () => { theme.textContent = isDark() ? "Light" : "Dark"; };
  theme.hidden = false;
  theme.addEventListener("click", () => { root.dataset.theme = isDark() ? "light" : "dark"; nameTheme(); });
  nameTheme();

  // Code that is copied.
  function withCopy(code) {
    const button = make("button", { type: "button" }, "Copy");
    button.addEventListener("click", async () => {
      const text = one("pre", code).textContent;
      try {
        await navigator.clipboard.writeText(text);
      } catch {
        const area = make("textarea");
        area.value = text;
        code.append(area);
        area.select();
        document.execCommand("copy");
        area.remove();
      }
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = "Copy"; }, 1500);
    });
    code.append(button);
    return code;
  }
  all(".code").forEach(withCopy);

  // What is said beside the pointer.
  const tip = one("#tip");
  function showTip(text, x, y) {
    tip.textContent = text;
    tip.hidden = false;
    const box = tip.getBoundingClientRect();
    tip.style.left = `${Math.max(6, Math.min(x + 14, innerWidth - box.width - 6))}px`;
    tip.style.top = `${y + 18 + box.height > innerHeight ? y - box.height - 12 : y + 18}px`;
  }

  function setUpRun(section) {
    const run = data.runs[Number(section.dataset.run)];
    const figures = all(".view", section), detail = one(".detail", section), controls = one(".controls", section);
    if (!figures.length) return;
    const budget = one(".budget", section), onlyKept = one(".only-kept", section), count = one(".count", section);
    let current = 0, chosen = null, deployment = null;
    const inFront = run.views.map((view) => new Set(view.front));
    const circles = figures.map((figure) => new Map(all("circle[data-i]", figure).map((c) => [Number(c.dataset.i), c])));
    const bars = figures.map((figure) => new Map(all(".bar", figure).map((b) => [Number(b.dataset.i), b])));

    const unitOf = (view) => view.head.match(/\(([^()]*)\)$/)?.[1] || "";
    const inView = (view, i) => {
      const value = `${number(view.x[i])} ${unitOf(view)}`;
      return view.ratio ? `${value} (${number(view.x[i] / view.ratio[i])} to ${number(view.x[i] * view.ratio[i])})` : value;
    };
    const keeps = (view, i) => !view.keeps || view.keeps[i] === "1";
    const genesOf = (i) => (run.choices || []).flatMap(([name, ...options], g) =>
      run.genes[i][g] === "." ? [] : [`${name} ${options[run.genes[i].charCodeAt(g) - 48]}`]);

    function sayPoint(i) {
      const view = run.views[current];
      const lines = [`${run.ids[i]}${inFront[current].has(i) ? " · front" : ""}`, `${run.y.head}: ${number(run.y.values[i])}`, `${view.head}: ${inView(view, i)}`];
      if (run.macs) lines.push(`${number(run.macs[i])} MACs, ${number(run.params[i])} params`);
      if (run.deployment) lines.push(run.deployments[run.deployment[i]] || "");
      return lines.join("\n");
    }

    function choose(i) {
      chosen = i;
      circles.forEach((map) => map.forEach((circle, n) => circle.classList.toggle("chosen", n === i)));
      all(".members tbody tr", section).forEach((row) => row.classList.toggle("chosen", Number(row.dataset.i) === i));
      const rows = [[run.y.head, number(run.y.values[i])], ...run.views.map((view) => [view.label === view.head.replace(/ \(.*/, "") ? view.head : view.label, inView(view, i)])];
      if (run.macs) rows.push(["MACs", number(run.macs[i])], ["params", number(run.params[i])]);
      if (run.deployment) rows.push(["runs on", run.deployments[run.deployment[i]] || ""]);
      const table = make("table", {}, make("tbody", {}, ...rows.map(([a, b]) => make("tr", {}, make("td", {}, a), make("td", {}, b)))));
      detail.replaceChildren(make("h4", { class: "id" }, run.ids[i]), table);
      const us = run.bars?.us?.[i];
      if (us) {
        const total = us.reduce((sum, t) => sum + Math.max(0, t || 0), 0) || 1;
        const bar = make("div", { class: "layerbar", role: "img", "aria-label": "times of the layers" });
        us.forEach((t, n) => {
          if (t === null || t <= 0) return;
          const part = make("i");
          part.style.flex = `${t} 0 0`;
          const said = `${run.bars.slots[n]}: ${number(t)} us, ${Math.round((100 * t) / total)} %`;
          part.addEventListener("pointermove", (event) => showTip(said, event.clientX, event.clientY));
          part.addEventListener("pointerleave", () => { tip.hidden = true; });
          bar.append(part);
        });
        const slowest = us.map((t, n) => [t || 0, run.bars.slots[n]]).sort((a, b) => b[0] - a[0]).slice(0, 3);
        detail.append(make("h4", {}, "Time of its layers"), bar, make("div", { class: "genelist" }, `most in ${slowest.map(([t, s]) => `${s} (${number(t)} us)`).join(", ")}`));
      }
      const genes = genesOf(i);
      if (genes.length) detail.append(make("h4", {}, "Genes"), make("div", { class: "genelist" }, genes.join(" · ")));
      if (inFront[0].has(i)) {
        const quote = (text) => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\"'\"'")}'`);
        const words = ["gnomon", "export", quote(run.folder), "--pick", run.ids[i]];
        run.profiles.forEach((name) => words.push("--profile", quote(name)));
        const pre = make("pre", {}, [...words, "--out", "exported"].join(" "));
        detail.append(make("h4", {}, "Export it"), withCopy(make("div", { class: "code" }, pre)));
      }
      detail.hidden = false;
    }

    function limitOf(view) {
      const svg = one("svg.front", figures[current]), share = Number(budget.value) / 1000;
      const [low, high] = [Number(svg.dataset.low), Number(svg.dataset.high)];
      const at = view.less ? share : 1 - share;
      const value = svg.dataset.log === "1" ? low * (high / low) ** at : low + at * (high - low);
      const start = Number(svg.dataset.start), end = Number(svg.dataset.end);
      return { value, pixel: start + at * (end - start), isSet: share < 1, line: one(".limit", svg) };
    }

    function update() {
      const view = run.views[current], limit = limitOf(view), members = inFront[current];
      let kept = 0, onFront = 0, best = -1;
      for (let i = 0; i < view.x.length; i++) {
        const within = !limit.isSet || (view.less ? view.x[i] <= limit.value : view.x[i] >= limit.value);
        const here = deployment === null || run.deployment[i] === deployment;
        const holds = within && here && keeps(view, i);
        if (holds) {
          kept += 1;
          if (members.has(i)) onFront += 1;
          if (best < 0 || (run.y.more ? run.y.values[i] > run.y.values[best] : run.y.values[i] < run.y.values[best])) best = i;
        }
        for (const mark of [circles[current].get(i), bars[current].get(i)]) {
          mark?.classList.toggle("over", !within || !here);
          mark?.classList.toggle("gone", onlyKept.checked && !holds);
        }
      }
      limit.line.hidden = !limit.isSet;
      limit.line.toggleAttribute("hidden", !limit.isSet);
      limit.line.setAttribute("x1", limit.pixel);
      limit.line.setAttribute("x2", limit.pixel);
      one(".limit-said", section).textContent = limit.isSet ? `${view.less ? "≤" : "≥"} ${number(limit.value)} ${unitOf(view)}` : "none";
      const at = best < 0 ? "" : `; best: ${number(run.y.values[best])} at ${number(view.x[best])} ${unitOf(view)} (${run.ids[best]})`;
      count.textContent = `${kept.toLocaleString("en")} of ${view.x.length.toLocaleString("en")} networks, ${onFront} of them on the front${at}`;
    }

    function nearest(figure, event) {
      const svg = one("svg.front", figure), box = svg.getBoundingClientRect();
      const scale = svg.viewBox.baseVal.width / box.width;
      const [x, y] = [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
      let found = null, closest = (18 * scale) ** 2;
      circles[figures.indexOf(figure)].forEach((circle, i) => {
        if (circle.classList.contains("gone")) return;
        const far = (circle.cx.baseVal.value - x) ** 2 + (circle.cy.baseVal.value - y) ** 2 - (circle.classList.contains("member") ? 20 : 0);
        if (far < closest) [found, closest] = [i, far];
      });
      return found;
    }

    figures.forEach((figure, number_) => {
      figure.addEventListener("pointermove", (event) => {
        const i = nearest(figure, event);
        if (i === null) tip.hidden = true; else showTip(sayPoint(i), event.clientX, event.clientY);
      });
      figure.addEventListener("pointerleave", () => { tip.hidden = true; });
      figure.addEventListener("click", (event) => {
        const i = nearest(figure, event);
        if (i !== null) choose(i);
      });
      figure.addEventListener("keydown", (event) => {
        const members = all(".member", figure), at = members.indexOf(event.target);
        if (at < 0) return;
        if (event.key === "Enter" || event.key === " ") choose(Number(event.target.dataset.i));
        const step = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
        if (!step && event.key !== " ") return;
        event.preventDefault();
        const next = members[at + (step || 0)];
        if (!step || !next) return;
        event.target.setAttribute("tabindex", "-1");
        next.setAttribute("tabindex", "0");
        next.focus();
        choose(Number(next.dataset.i));
      });
    });

    const tabs = all("[role=tab]", section);
    function turnTo(number_) {
      current = number_;
      figures.forEach((figure, n) => figure.classList.toggle("later", n !== number_));
      tabs.forEach((tab, n) => {
        tab.setAttribute("aria-selected", String(n === number_));
        tab.setAttribute("tabindex", n === number_ ? "0" : "-1");
      });
      update();
    }
    tabs.forEach((tab, n) => {
      tab.addEventListener("click", () => turnTo(n));
      tab.addEventListener("keydown", (event) => {
        const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
        if (!step) return;
        const next = (n + step + tabs.length) % tabs.length;
        tabs[next].focus();
        turnTo(next);
      });
    });

    if (run.deployments.length > 1) {
      const chips = one(".chips", section);
      chips.hidden = false;
      ["all", ...run.deployments].forEach((label, n) => {
        const chip = make("button", { type: "button", "aria-pressed": String(n === 0) }, label);
        chip.addEventListener("click", () => {
          deployment = n === 0 ? null : n - 1;
          [...chips.children].forEach((other) => other.setAttribute("aria-pressed", String(other === chip)));
          update();
        });
        chips.append(chip);
      });
    }

    all(".members tbody tr", section).forEach((row) => {
      row.tabIndex = 0;
      row.addEventListener("click", () => choose(Number(row.dataset.i)));
      row.addEventListener("keydown", (event) => { if (event.key === "Enter") choose(Number(row.dataset.i)); });
    });
    budget.addEventListener("input", update);
    onlyKept.addEventListener("change", update);
    controls.hidden = false;
    update();
    const first = one(".member.chosen", section) || one(".member", section);
    if (first) choose(Number(first.dataset.i));
  }
  all("section.run").forEach(setUpRun);

  function setUpLayers(section) {
    const table = one("table.layers", section);
    if (!table) return;
    const layers = data.profiles[Number(section.dataset.profile)].layers;
    const words = one(".words", section), kinds = one(".kinds", section), more = one(".more", section);
    const longest = Math.max(...layers.high), FIRST = 25;
    let by = "us", descending = true, shown = FIRST;
    [...new Set(layers.kind)].sort().forEach((kind) => kinds.append(make("option", { value: kind }, kind)));

    function barOf(i) {
      const space = "http://www.w3.org/2000/svg", svg = document.createElementNS(space, "svg");
      svg.setAttribute("viewBox", "0 0 170 14");
      svg.setAttribute("aria-hidden", "true");
      const parts = [["rect", { class: "shade2", x: 0, y: 3, height: 8, width: (168 * layers.us[i]) / longest }],
        ["line", { class: "edge", x1: (168 * layers.low[i]) / longest, x2: (168 * layers.high[i]) / longest, y1: 7, y2: 7 }]];
      for (const [tag, attributes] of parts) {
        const part = document.createElementNS(space, tag);
        for (const [name, value] of Object.entries(attributes)) part.setAttribute(name, value);
        svg.append(part);
      }
      return svg;
    }

    function nameOf(key) {
      const [, head, rest] = key.match(/^([^,]*)(.*)$/s);
      return make("span", { class: "id" }, head, make("span", { class: "rest" }, rest.replaceAll(",", ", ")));
    }

    function rowOf(i) {
      const disturbed = layers.clean[i] === false ? [make("span", { class: "tag fair" }, "never undisturbed")] : [];
      const interval = make("td", { title: `${number(layers.low[i])} to ${number(layers.high[i])} us` }, barOf(i));
      return make("tr", {},
        make("td", {}, nameOf(layers.key[i]), " ", ...disturbed),
        make("td", {}, number(layers.us[i])), interval,
        make("td", {}, layers.adds[i] === null ? "" : number(layers.adds[i])),
        make("td", {}, layers.macs[i].toLocaleString("en")),
        make("td", {}, number(layers.rate[i])), make("td", {}, `${Math.round(100 * layers.peak[i])} %`));
    }

    function draw() {
      const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
      const rows = layers.key.map((_, i) => i).filter((i) =>
        (!kinds.value || layers.kind[i] === kinds.value) && wanted.every((word) => layers.key[i].toLowerCase().includes(word)));
      const values = layers[by], sign = descending ? -1 : 1;
      rows.sort((a, b) => sign * (typeof values[a] === "string" ? values[a].localeCompare(values[b]) : (values[a] ?? -Infinity) - (values[b] ?? -Infinity)));
      one("tbody", table).replaceChildren(...rows.slice(0, shown).map(rowOf));
      one(".filter .count", section).textContent = `${rows.length} of ${layers.key.length} layers`;
      more.hidden = rows.length <= shown;
      all("th[data-by]", table).forEach((head) => {
        if (head.dataset.by === by) head.setAttribute("aria-sort", descending ? "descending" : "ascending");
        else head.removeAttribute("aria-sort");
      });
    }

    all("th[data-by]", table).forEach((head) => one("button", head).addEventListener("click", () => {
      descending = by === head.dataset.by ? !descending : head.dataset.by !== "key";
      by = head.dataset.by;
      draw();
    }));
    words.addEventListener("input", draw);
    kinds.addEventListener("change", draw);
    one("button.all", section).addEventListener("click", () => { shown = Infinity; draw(); });
    table.hidden = false;
    one(".filter", section).hidden = false;
    draw();
  }
  all("section.profile").forEach(setUpLayers);
})();
