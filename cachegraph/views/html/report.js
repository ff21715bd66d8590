// The report around the drawings: stages, the table of records, sorting, links from everywhere into the drawing.
(async () => {
  "use strict"
  const number = n => n.toLocaleString("en")
  const size = n => {
    if (n === null || n === undefined) return ""
    const units = ["B", "KiB", "MiB", "GiB", "TiB"]
    let at = 0
    while (n >= 1024 && at < 4) { n /= 1024; at++ }
    return `${at ? n.toFixed(1) : n} ${units[at]}`
  }
  const make = (name, attributes = {}, ...children) => {
    const element = document.createElement(name)
    for (const [key, value] of Object.entries(attributes)) if (value !== null) element.setAttribute(key, value)
    element.append(...children)
    return element
  }
  const ROWS = 100, CALLED = 80, CLASSES = { step: "r-step", state: "word", made: "word" }
  const drawings = new Map()
  const link = (drawing, node) => { // beside the drawing there is room for more of the name; its end has the line of the Dockerfile
    const name = drawing.named(node), end = (CALLED - 1) >> 1
    return drawing.link(node, name.length <= CALLED ? name : `${name.slice(0, CALLED - 1 - end)}…${name.slice(-end)}`)
  }
  const show = (drawing, node) => {
    drawing.go(node)
    drawing.svg.scrollIntoView({ block: "center" })
    drawing.svg.focus({ preventScroll: true })
  }

  // --- Stages: only what is open is made ---------------------------------------------------------------------------
  function tree(root, drawing) {
    const { data } = drawing, { stages, own, slots } = data
    const children = stages.map(() => []), top = []
    stages.forEach(([on], at) => (on === null ? top : children[on]).push(at))
    const stageOf = new Map()
    stages.forEach(([, steps], at) => steps.forEach(step => stageOf.set(step, at)))
    const step = (node, before) => {
      const item = make("li", {}, link(drawing, node))
      if (own[node]) item.append(make("span", { class: "r-size" }, ` adds ${size(own[node])}`))
      const stageNote = link => stageOf.has(link) ? ` (stage ${stageOf.get(link) + 1})` : ""
      slots[node].slice(0, 12).forEach((slot, at) => {
        const others = slot.filter(link => link >= 0 && link !== before).slice(0, 6)
        if (!others.length) return
        const stands = slot.includes(before)
        item.append(make("div", { class: "r-takes" }, stands ? "or " : at || before === undefined ? "takes " : "on ",
          ...others.flatMap((other, i) => [i ? " or " : "", link(drawing, other), stageNote(other)]), slot.length > 7 ? ` or ${number(slot.length - 7)} more` : ""))
      })
      if (slots[node].length > 12) item.append(make("div", { class: "r-takes" }, `and ${number(slots[node].length - 12)} more inputs`))
      return item
    }
    const stage = at => {
      const [on, steps] = stages[at]
      const counts = new Map()
      for (const node of steps) counts.set(data.state[node], (counts.get(data.state[node]) ?? 0) + 1)
      const worth = [...counts].map(([state, many]) => `${number(many)} ${data.states[state][0]}`).join(", ")
      const start = on === null ? `from ${data.label[steps[0]]}` : `on stage ${on + 1}`
      const details = make("details", {}, make("summary", {}, `Stage ${at + 1}, ${start}: ${worth}`))
      const fill = () => {
        if (details.childElementCount > 1) return
        const last = on === null ? undefined : stages[on][1].at(-1)
        details.append(make("ol", {}, ...steps.slice(0, 400).map((node, i) => step(node, i ? steps[i - 1] : last))))
        if (steps.length > 400) details.append(make("p", {}, `and ${number(steps.length - 400)} more`))
        details.append(...many(children[at]))
      }
      details.addEventListener("toggle", fill)
      if (stages.length <= 12) { fill(); details.open = true }
      return details
    }
    const many = list => {
      const shown = list.slice(0, 200).map(stage)
      if (list.length > 200) shown.push(make("p", {}, `and ${number(list.length - 200)} more stages`))
      return shown
    }
    root.replaceChildren(...many(top))
  }

  // --- The table of records ----------------------------------------------------------------------------------------
  function table(root, drawing) {
    const { data } = drawing, count = data.label.length
    const made = node => data.results[node].map(result => result[1] ?? "").sort().at(-1) ?? ""
    const cost = data.overlays.findIndex(overlay => overlay.name === "blast radius")
    const columns = [
      ["record", node => data.index[node], true], ["step", node => drawing.named(node)], ["state", node => data.states[data.state[node]][0]],
      ["adds", node => data.own[node] ?? -1, true, node => size(data.own[node])], ["made", made, false, node => made(node).slice(0, 19).replace("T", " ")],
      ["takes", node => drawing.rules.inputs[node].length, true], ["taken by", node => drawing.rules.takers[node].length, true],
    ]
    if (cost >= 0) columns.push(["a change of it", node => data.overlays[cost].values[node], false, node => (data.overlays[cost].texts[node] ?? "").replace("a change of it ", "")])
    let all = Array.from({ length: count }, (_, node) => node), kept = all, shown = ROWS, by = 0, down = false
    const body = make("tbody"), more = make("button", { type: "button", class: "r-more" }), told = make("p", { class: "r-hint", role: "status" })
    const heads = columns.map(([name, , numeric], at) => {
      const button = make("button", { type: "button" }, name)
      button.addEventListener("click", () => { down = by === at && !down; by = at; sort() })
      return make("th", { scope: "col", class: numeric ? "number" : null }, button)
    })
    const sort = () => {
      const value = columns[by][1], keys = new Map(all.map(node => [node, value(node)]))
      all.sort((a, b) => {
        const x = keys.get(a), y = keys.get(b)
        return (x < y ? -1 : x > y ? 1 : a - b) * (down ? -1 : 1)
      })
      heads.forEach((head, at) => (at === by ? head.setAttribute("aria-sort", down ? "descending" : "ascending") : head.removeAttribute("aria-sort")))
      keep()
    }
    const keep = () => {
      kept = drawing.hitSet ? all.filter(node => drawing.hitSet.has(node)) : all
      shown = ROWS
      fill()
    }
    const fill = () => {
      body.replaceChildren(...kept.slice(0, shown).map(node => make("tr", {}, ...columns.map(([name, value, numeric, text], at) =>
        make("td", { class: numeric ? "number" : CLASSES[name] ?? null }, at === 1 ? link(drawing, node) : String((text ?? value)(node)))))))
      more.hidden = kept.length <= shown
      more.textContent = `Show ${number(Math.min(1000, kept.length - shown))} more`
      told.textContent = `${number(Math.min(shown, kept.length))} of ${number(kept.length)} records${drawing.hitSet ? " that the search found" : ""}`
    }
    more.addEventListener("click", () => { shown += 1000; fill() })
    root.replaceChildren(told, make("div", { class: "r-scroll", tabindex: "0", role: "region", "aria-label": `All of the ${data.title}` },
      make("table", {}, make("thead", {}, make("tr", {}, ...heads)), body)), more)
    drawing.onsearch = keep
    sort()
  }

  await window.cachegraph.ready
  document.querySelectorAll("script[data-report]").forEach((script, at) => { if (window.cachegraph.drawings[at]) drawings.set(script.dataset.report, window.cachegraph.drawings[at]) })
  for (const [id, drawing] of drawings) {
    tree(document.getElementById(`${id}-stages`), drawing)
    table(document.getElementById(`${id}-table`), drawing)
    for (const part of ["stages", "table"]) document.getElementById(`${id}-${part}`).addEventListener("click", event => {
      if (event.target.closest(".cg-to")) { drawing.svg.scrollIntoView({ block: "center" }); drawing.svg.focus({ preventScroll: true }) }
    })
  }
  const follow = target => {
    const drawing = drawings.get(target.dataset.export)
    if (!drawing) return
    const node = target.dataset.place === undefined ? drawing.data.index.findIndex((index, at) => index === Number(target.dataset.record) && !drawing.lost.has(at)) : Number(target.dataset.place)
    if (node >= 0) show(drawing, node)
  }
  document.addEventListener("click", event => { const target = event.target.closest("[data-export]"); if (target) follow(target) })
  document.addEventListener("keydown", event => {
    if (event.key !== "Enter" && event.key !== " ") return
    const target = event.target.closest?.(".r-block[data-export]")
    if (target) { event.preventDefault(); follow(target) }
  })

  // --- Tables that came with the page can be sorted too ------------------------------------------------------------
  for (const made of document.querySelectorAll("table.r-sort")) {
    const heads = [...made.tHead.rows[0].cells]
    heads.forEach((head, at) => {
      const button = make("button", { type: "button" }, head.textContent)
      head.replaceChildren(button)
      button.addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") === "ascending"
        heads.forEach(other => other.removeAttribute("aria-sort"))
        head.setAttribute("aria-sort", down ? "descending" : "ascending")
        const rows = [...made.tBodies[0].rows], text = row => row.cells[at].textContent.trim()
        const order = new Intl.Collator("en", { numeric: true })
        rows.sort((a, b) => order.compare(text(a), text(b)) * (down ? -1 : 1))
        made.tBodies[0].append(...rows)
      })
    })
  }
})();
