// The drawing of a record graph: pan, zoom, search, details, what a change reaches. Takes the JSON of Scene.to_dict().
// Whatever an export says goes into text nodes and attributes, never into markup.
(() => {
  "use strict"
  const SVG = "http://www.w3.org/2000/svg"
  const { Rules, HIDDEN, surroundings } = window.cachegraph
  const BETWEEN = 36, EDGE = 24, HEAD = 26, GAP = 22
  const FAR = 0.4, MANY = 350, STEP = 1.3, READABLE = 0.7, PAN = 120
  const MAP = [300, 260], MAP_EDGE = 8, AROUND = 30 // records of which one's surroundings are nearly all
  const number = n => n.toLocaleString("en")
  const count = (n, noun) => `${number(n)} ${noun}${n === 1 ? "" : "s"}`
  const bytes = n => {
    if (n === null) return "unknown size"
    const units = ["B", "KiB", "MiB", "GiB", "TiB"]
    let at = 0
    while (n >= 1024 && at < 4) { n /= 1024; at++ }
    return `${at ? n.toFixed(1) : n} ${units[at]}`
  }

  function make(name, attributes = {}, ...children) {
    return dress(document.createElement(name), attributes, children)
  }
  function draw(name, attributes = {}, ...children) {
    return dress(document.createElementNS(SVG, name), attributes, children)
  }
  function dress(element, attributes, children) {
    for (const [key, value] of Object.entries(attributes)) {
      if (key === "on") for (const [event, act] of Object.entries(value)) element.addEventListener(event, act)
      else if (value !== null && value !== false) element.setAttribute(key, value === true ? "" : value)
    }
    element.append(...children.filter(child => child !== null))
    return element
  }

  let made = 0
  class Drawing {
    constructor(root, data) {
      this.data = data
      this.count = data.label.length
      this.rules = new Rules(data.slots)
      this.lost = new Set(data.lost)
      this.prefix = `cg${made++}-`
      this.overlay = 0
      this.hits = []
      this.hit = -1
      this.selected = -1
      this.focused = -1
      this.levels = null
      this.drawn = new Map()
      this.view = { scale: 1, x: 0, y: 0 }
      const parent = new Map()
      data.groups.forEach(([, , members], at) => members.forEach(member => parent.set(member, this.count + at)))
      this.whole = { sheet: data.sheet, groups: data.groups, parent, open: new Set() }
      this.scene = this.whole // what is drawn: the whole, or what is around a record
      this.scenes = [] // those to go back to
      this.printing = false
      this.notes = new Map()
      for (const note of data.notes) this.notes.set(note[0], [...(this.notes.get(note[0]) ?? []), note])
      this.build(root)
      this.arrange()
      this.home()
      this.recolour()
      if (data.selected) this.select(data.start)
      new ResizeObserver(() => this.resized()).observe(this.svg)
    }

    // --- Where things stand --------------------------------------------------------------------------------------

    group(id) { return id >= this.count ? this.scene.groups[id - this.count] : null }
    isOpen(id) { return this.group(id)[0] === "row" || this.scene.open.has(id) }
    arrange() {
      this.items = []
      this.lines = []
      this.at = new Map()
      this.sizes = new Map()
      const [w, h] = this.settle(this.scene.sheet, 0, 0)
      this.width = Math.max(w, 1)
      this.height = Math.max(h, this.data.sizes.card)
      this.tall = `${Math.min(Math.max(this.height + 2 * EDGE, 260), 2000)}px` // the style sheet has the most
      this.svg.style.height = this.tall
      this.clear()
    }
    extent(id) { // size as it is now, worked out once
      if (!this.sizes.has(id)) this.sizes.set(id, this.size(id))
      return this.sizes.get(id)
    }
    // Marks in layers: what is open makes room below and beside itself. Gives the size, and puts things unless x is null.
    settle([marks, layers, xs, links], x0, y0) {
      const own = marks.map(mark => this.extent(mark))
      const heights = [], tops = []
      layers.forEach((layer, at) => { heights[layer] = Math.max(heights[layer] ?? 0, own[at][1]) })
      let floor = 0
      for (let layer = 0; layer < heights.length; layer++) { heights[layer] ??= 0; tops[layer] = floor; floor += heights[layer] + BETWEEN }
      const wider = marks.map((mark, at) => [xs[at], own[at][0] - this.shut(mark)]).filter(one => one[1] > 0)
      const shifted = x => wider.reduce((sum, [from, more]) => sum + (from < x ? more : from === x ? more / 2 : 0), x)
      const places = xs.map(shifted)
      const height = Math.max(0, floor - BETWEEN)
      let width = places.reduce((most, x, at) => Math.max(most, x + own[at][0] / 2), 0)
      for (const link of links) for (let i = 3; i < link.length; i++) width = Math.max(width, shifted(link[i]))
      if (x0 === null) return [width, height]
      marks.forEach((mark, at) => this.put(mark, x0 + places[at] - own[at][0] / 2, y0 + tops[layers[at]], own[at]))
      for (const [from, to, alternative, ...course] of links) {
        const path = course.map(x => x0 + shifted(x)), first = layers[from], last = layers[to]
        const bottom = y0 + tops[first] + own[from][1], target = y0 + tops[last]
        let line = `M${path[0]} ${bottom}`
        if (path.length - 1 !== last - first) {
          const end = path.at(-1)
          line += `C${path[0]} ${bottom + 30} ${end} ${target - 30} ${end} ${target}`
        } else for (let i = 1; i < path.length; i++) {
          const down = y0 + tops[first + i - 1] + heights[first + i - 1], top = y0 + tops[first + i], middle = (down + top) / 2
          if (i > 1 || down !== bottom) line += `V${down}`
          line += path[i] === path[i - 1] ? `V${top}` : `C${path[i - 1]} ${middle} ${path[i]} ${middle} ${path[i]} ${top}`
        }
        this.lines.push({ from: marks[from], to: marks[to], alternative, line, left: Math.min(...path), right: Math.max(...path),
          top: Math.min(bottom, target), floor: Math.max(bottom, target) })
      }
      return [width, height]
    }
    shut(id) { // width while it is closed
      const group = this.group(id), pad = this.data.sizes.pad
      if (!group) return this.data.widths[id]
      return group[0] === "row" ? group[2].reduce((sum, member) => sum + this.shut(member) + pad, pad) : this.data.sizes.group[0]
    }
    size(id) {
      const { sizes, widths } = this.data, group = this.group(id)
      if (!group) return [widths[id], sizes.card]
      const [kind, , members, sheet] = group, pad = sizes.pad
      if (!this.isOpen(id)) return sizes.group
      if (kind === "bundle") {
        const [w, h] = this.settle(sheet, null)
        return [Math.max(w + 2 * pad, 120), h + HEAD + pad]
      }
      const own = members.map(member => this.extent(member))
      const wide = Math.max(...own.map(one => one[0])), high = Math.max(...own.map(one => one[1]))
      if (kind === "row") return [own.reduce((sum, one) => sum + one[0] + pad, pad), high + 2 * pad]
      if (kind === "chain") return [Math.max(wide + 2 * pad, 120), own.reduce((sum, one) => sum + one[1] + GAP, HEAD + pad - GAP)]
      const { columns, rows } = this.grid(own)
      return [Math.max(columns.reduce((sum, one) => sum + one + pad, pad), 120), rows.reduce((sum, one) => sum + one + pad, HEAD)]
    }
    grid(own) { // of equal marks: how wide each column is, how high each row
      const across = Math.ceil(Math.sqrt(own.length)), columns = [], rows = []
      own.forEach(([w, h], at) => {
        const column = at % across, row = Math.floor(at / across)
        columns[column] = Math.max(columns[column] ?? 0, w)
        rows[row] = Math.max(rows[row] ?? 0, h)
      })
      return { columns, rows }
    }
    put(id, x, y, [w, h]) {
      const group = this.group(id), pad = this.data.sizes.pad, item = { id, x, y, w, h, frame: false }
      this.items.push(item)
      this.at.set(id, item)
      if (!group || !this.isOpen(id)) return
      item.frame = true
      const [kind, , members, sheet] = group
      if (kind === "bundle") { this.settle(sheet, x + pad, y + HEAD); return }
      const own = members.map(member => this.extent(member))
      if (kind === "row") {
        let left = x + pad
        members.forEach((member, at) => { this.put(member, left, y + pad, own[at]); left += own[at][0] + pad })
      } else if (kind === "chain") {
        let top = y + HEAD
        members.forEach((member, at) => {
          this.put(member, x + (w - own[at][0]) / 2, top, own[at])
          if (at) this.lines.push({ from: members[at - 1], to: member, alternative: 0, line: `M${x + w / 2} ${top - GAP}V${top}`,
            left: x + w / 2, right: x + w / 2, top: top - GAP, floor: top })
          top += own[at][1] + GAP
        })
      } else {
        const { columns, rows } = this.grid(own)
        let left = x + pad, top = y + HEAD
        members.forEach((member, at) => {
          const column = at % columns.length
          if (at && !column) { left = x + pad; top += rows[Math.floor(at / columns.length) - 1] + pad }
          this.put(member, left, top, own[at])
          left += columns[column] + pad
        })
      }
    }
    members(id) {
      const found = [], stack = [id]
      while (stack.length) {
        const one = stack.pop(), group = this.group(one)
        if (group) for (let at = group[2].length - 1; at >= 0; at--) stack.push(group[2][at])
        else found.push(one)
      }
      return found
    }
    visible(id) { // the mark that stands for a record: itself, or the outermost group that is closed
      let seen = id
      const { parent } = this.scene
      for (let over = parent.get(id); over !== undefined; over = parent.get(over)) if (!this.isOpen(over)) seen = over
      return seen
    }

    // --- The page ------------------------------------------------------------------------------------------------

    build(root) {
      const { data } = this, button = (text, title, act) =>
        make("button", { type: "button", "aria-label": title, title, on: { click: act } }, text)
      this.field = make("input", { type: "search", placeholder: "Search names, digests, states", "aria-label": "Search records",
        autocomplete: "off", spellcheck: "false", on: { input: () => this.search(), keydown: event => this.searchKey(event) } })
      this.told = make("output", { class: "cg-count" })
      this.choice = make("select", { "aria-label": "Coloured by", on: { change: () => this.choose(this.choice.selectedIndex) } },
        ...data.overlays.map(overlay => make("option", {}, overlay.title)))
      this.note = make("p", { class: "cg-note" })
      this.legend = make("ul", { class: "cg-legend", "aria-label": "Legend" })
      this.panel = make("aside", { class: "cg-details", "aria-label": `Details of ${data.title}`, tabindex: "0" })
      this.live = make("p", { class: "cg-hidden", "aria-live": "polite" })
      this.paths = draw("g"), this.marks = draw("g")
      this.world = draw("g", {}, this.paths, this.marks)
      this.place = make("p", { class: "cg-place", hidden: true })
      this.mapped = draw("g"), this.seen = draw("rect", { class: "cg-seen" })
      this.map = draw("svg", { class: "cg-map", "aria-hidden": "true" }, this.mapped, this.seen) // the arrows do the same
      this.svg = draw("svg", { class: "cg-view", tabindex: "0", role: "application", "aria-roledescription": "record graph",
        "aria-label": `${data.title}. ${data.said} Arrow keys move, Enter selects, plus and minus zoom, 0 shows the whole, 1 is full size, slash searches.` }, this.world)
      this.help = make("p", { class: "cg-help" }, "Drag to move, pinch or Ctrl and wheel to zoom, click for details. Keys: arrows go from mark to mark, ",
        "with Shift they move the drawing, Enter selects or opens, + − zoom, 0 shows the whole, 1 is full size, / searches, Escape ends.")
      root.replaceChildren(
        make("div", { class: "cg-bar" },
          make("span", { class: "cg-search" }, this.field, button("‹", "Previous found", () => this.jump(-1)),
            button("›", "Next found", () => this.jump(1)), this.told),
          data.overlays.length > 1 ? this.choice : null,
          make("span", { class: "cg-zoom" }, button("−", "Zoom out", () => this.zoom(1 / STEP)), button("+", "Zoom in", () => this.zoom(STEP)),
            button("100 %", "100 %: readable (key 1)", () => this.zoomTo(1)), button("Whole", "Whole drawing (key 0)", () => this.toWhole()))),
        this.note, this.place, make("div", { class: "cg-body" }, this.svg, make("div", { class: "cg-side" }, this.map, this.panel)),
        this.legend, this.help, this.live)
      root.classList.add("cg")
      this.listen()
      this.say()
    }
    listen() {
      const { svg } = this, held = new Map()
      let moved = 0
      const centre = () => { const all = [...held.values()]; return [all.reduce((s, p) => s + p[0], 0) / all.length, all.reduce((s, p) => s + p[1], 0) / all.length] }
      const span = () => { const [a, b] = [...held.values()]; return Math.hypot(a[0] - b[0], a[1] - b[1]) }
      svg.addEventListener("pointerdown", event => { held.set(event.pointerId, [event.offsetX, event.offsetY]); if (held.size === 1) moved = 0 })
      svg.addEventListener("pointermove", event => {
        if (!held.has(event.pointerId)) return
        const [x, y] = centre(), before = held.size === 2 ? span() : 0
        held.set(event.pointerId, [event.offsetX, event.offsetY])
        const [nx, ny] = centre()
        moved += Math.abs(nx - x) + Math.abs(ny - y)
        if (moved > 4 && !svg.hasPointerCapture(event.pointerId)) svg.setPointerCapture(event.pointerId)
        this.view.x += nx - x
        this.view.y += ny - y
        if (before) this.zoom(span() / before, nx, ny)
        this.later()
      })
      const end = event => held.delete(event.pointerId)
      svg.addEventListener("pointerup", end)
      svg.addEventListener("pointercancel", end)
      svg.addEventListener("click", event => { if (moved <= 4) this.click(event) })
      svg.addEventListener("wheel", event => {
        if (!event.ctrlKey && !event.metaKey && document.activeElement !== svg) return
        event.preventDefault()
        this.zoom(Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.0015)), event.offsetX, event.offsetY)
      }, { passive: false })
      svg.addEventListener("keydown", event => this.key(event))
      const move = event => {
        if (event.type === "pointermove" && !this.map.hasPointerCapture(event.pointerId)) return
        if (event.type === "pointerdown") this.map.setPointerCapture(event.pointerId)
        const { scale, pad } = this.mapScale
        this.centre((event.offsetX - pad) / scale, (event.offsetY - pad) / scale)
        this.later()
      }
      this.map.addEventListener("pointerdown", move)
      this.map.addEventListener("pointermove", move)
      addEventListener("beforeprint", () => this.print(true))
      addEventListener("afterprint", () => this.print(false))
    }
    resized() {
      if (this.printing) return
      if (!this.moved) this.home()
      this.painted = ""
      this.later()
    }
    print(on) { // paper has no zoom: the whole drawing, as large as fits
      this.printing = on
      this.svg.style.height = on ? "auto" : this.tall
      if (on) this.svg.setAttribute("viewBox", `${-EDGE} ${-EDGE} ${this.width + 2 * EDGE} ${this.height + 2 * EDGE}`)
      else this.svg.removeAttribute("viewBox")
      this.clear()
      this.paint()
    }

    // --- What is seen --------------------------------------------------------------------------------------------

    box() { const box = this.svg.getBoundingClientRect(); return [box.width || 900, box.height || 500] }
    fitting() { // the scale at which all of it is seen
      const [w, h] = this.box()
      return Math.min(1, (w - 2 * EDGE) / this.width, (h - 2 * EDGE) / this.height)
    }
    fit() {
      const [w, h] = this.box(), scale = this.fitting()
      this.view = { scale, x: (w - this.width * scale) / 2, y: Math.max(EDGE, (h - this.height * scale) / 2) }
      this.moved = false
    }
    home() { // the whole if its names can be read then; else the place that matters most, readable
      this.fit()
      if (this.view.scale >= READABLE) return
      this.view.scale = 1
      const mark = this.at.get(this.visible(this.scene.node ?? this.data.start))
      if (mark) this.centre(mark.x + mark.w / 2, mark.y + mark.h / 2)
      else this.centre(this.width / 2, this.height / 2)
    }
    toWhole() {
      this.fit()
      this.moved = true
      this.later()
    }
    centre(x, y) { // as far as the drawing goes: no empty space where there is more to see
      const [w, h] = this.box(), { view } = this
      const within = (at, size, room) => {
        const low = room - size * view.scale - EDGE
        return low > EDGE ? (low + EDGE) / 2 : Math.min(EDGE, Math.max(low, room / 2 - at * view.scale))
      }
      view.x = within(x, this.width, w)
      view.y = within(y, this.height, h)
    }
    zoom(by, x, y) {
      const [w, h] = this.box(), view = this.view, scale = Math.min(3, Math.max(0.01, view.scale * by))
      x ??= w / 2, y ??= h / 2
      view.x = x - (x - view.x) * scale / view.scale
      view.y = y - (y - view.y) * scale / view.scale
      view.scale = scale
      this.moved = true
      this.later()
    }
    zoomTo(scale) { this.zoom(scale / this.view.scale) }
    show(id) { // bring a mark into view, readable
      const item = this.at.get(id), [w, h] = this.box(), view = this.view
      if (!item) return
      if (view.scale < 0.75) view.scale = 1
      const x = item.x * view.scale + view.x, y = item.y * view.scale + view.y, wide = item.w * view.scale, high = item.h * view.scale
      if (x < EDGE || y < EDGE || x + wide > w - EDGE || y + high > h - EDGE) {
        this.centre(item.x + Math.min(item.w, w) / 2, item.y + Math.min(item.h, h) / 2)
      }
      this.moved = true
      this.later()
    }
    later() { this.waits ??= requestAnimationFrame(() => { this.waits = undefined; this.paint() }) }
    clear() {
      this.drawn.clear()
      this.marks.replaceChildren()
      this.painted = ""
      this.mapKey = ""
    }
    paint() {
      const { scale, x, y } = this.printing ? { scale: 1, x: 0, y: 0 } : this.view
      const [w, h] = this.printing ? [this.width, this.height] : this.box()
      this.world.setAttribute("transform", `translate(${x} ${y}) scale(${scale})`)
      const left = -x / scale, top = -y / scale, right = left + w / scale, floor = top + h / scale
      const seen = this.items.filter(one => one.x < right && one.x + one.w > left && one.y < floor && one.y + one.h > top)
      const far = (scale < FAR || this.printing) && seen.length > MANY
      this.paintSeen(left, top, w / scale, h / scale)
      const key = far ? "far" : `near ${Math.round(left / 200)} ${Math.round(top / 200)} ${Math.round(right / 200)} ${Math.round(floor / 200)}`
      if (key === this.painted) return
      if (far !== this.isFar) this.clear()
      this.painted = key
      this.isFar = far
      this.svg.classList.toggle("cg-small", far)
      this.paintLines(far ? this.lines : this.lines.filter(one => one.left < right + 200 && one.right > left - 200 && one.top < floor + 200 && one.floor > top - 200))
      if (far) this.paintFar()
      else {
        const near = this.items.filter(one => one.x < right + 200 && one.x + one.w > left - 200 && one.y < floor + 200 && one.y + one.h > top - 200)
        const wanted = new Set(near.map(item => item.id))
        for (const [id, element] of this.drawn) if (!wanted.has(id)) { element.remove(); this.drawn.delete(id) }
        for (const item of near) if (!this.drawn.has(item.id)) {
          const element = this.mark(item)
          this.drawn.set(item.id, element)
          if (item.frame) this.marks.prepend(element)
          else this.marks.append(element)
        }
      }
      this.point()
    }
    paintLines(lines) {
      const found = new Map()
      for (const line of lines) {
        const a = this.level(line.from), b = this.level(line.to), least = Math.min(a, b)
        const name = this.levels === null ? "" : least > 1 ? " cg-lit" : least > 0 ? " cg-dim" : " cg-off"
        const key = `cg-link${line.alternative ? " cg-alt" : ""}${name}`
        found.set(key, (found.get(key) ?? "") + line.line)
      }
      const stubs = this.isFar || !this.scene.more ? [] : this.items.flatMap(item => this.stubs(item))
      this.paths.replaceChildren(...[...found].sort().reverse().map(([key, line]) => draw("path", { class: key, d: line })), ...stubs)
    }
    // The overview beside a drawing that is not readable as a whole; the rectangle is what is seen of it.
    paintSeen(x, y, w, h) {
      const more = !this.printing && this.fitting() < READABLE
      this.map.classList.toggle("cg-none", !more)
      if (!more) return
      const pad = MAP_EDGE, scale = Math.min(MAP[0] / this.width, MAP[1] / this.height, 0.2)
      const key = `${scale} ${this.width} ${this.height}`
      if (key !== this.mapKey) {
        this.mapKey = key
        this.mapScale = { scale, pad }
        this.map.setAttribute("width", Math.ceil(this.width * scale + 2 * pad))
        this.map.setAttribute("height", Math.ceil(this.height * scale + 2 * pad))
        this.mapped.setAttribute("transform", `translate(${pad} ${pad}) scale(${scale})`)
        this.mapped.replaceChildren(...this.boxes())
      }
      const span = (at, size, room) => { // small, but never so small that it cannot be seen
        const low = Math.min(Math.max(at, 0), room), wide = Math.max(Math.min(at + size, room) - low, 6 / scale)
        return [pad + Math.min(low, room - wide) * scale, wide * scale]
      }
      const [left, wide] = span(x, w, this.width), [top, high] = span(y, h, this.height)
      for (const [name, value] of Object.entries({ x: left, y: top, width: wide, height: high })) this.seen.setAttribute(name, value)
    }
    paintFar() { this.marks.replaceChildren(...this.boxes()) }
    boxes() { // every mark as a plain box, one path for each look
      const looks = this.looks(), boxes = new Map()
      for (const item of this.items) {
        if (item.frame) continue
        const level = this.level(item.id), name = this.levels !== null && level < 1 ? "cg-off" : ""
        const hit = this.isHit(item.id) ? " cg-hit" : item.id === this.visible(this.selected) ? " cg-selected" : ""
        const key = `${this.most(item.id)}|${name}${hit}`
        boxes.set(key, (boxes.get(key) ?? "") + `M${item.x} ${item.y}h${item.w}v${item.h}h${-item.w}z`)
      }
      return [...boxes].map(([key, line]) => {
        const [look, name] = key.split("|")
        return draw("path", { class: `cg-far ${name}`, d: line, fill: looks[look][1] })
      })
    }
    looks() { return this.data.overlays[this.overlay].looks }
    value(node) { return this.data.overlays[this.overlay].values[node] }
    counts(id) {
      const found = this.looks().map(() => 0)
      for (const node of this.members(id)) found[this.value(node)]++
      return found
    }
    most(id) {
      if (id < this.count) return this.value(id)
      const counts = this.counts(id)
      return counts.indexOf(Math.max(...counts))
    }
    level(id) { // 3 itself, 2 lit, 1 dim, 0 not on the way; of a group the most of its records
      if (this.levels === null) return 2
      if (id < this.count) return this.levels[id]
      return this.members(id).reduce((most, node) => Math.max(most, this.levels[node]), 0)
    }
    isHit(id) { return this.hitSet !== undefined && this.members(id).some(node => this.hitSet.has(node)) }
    named(node) { return this.data.name[node] || this.data.label[node] }
    title(node) { return `record ${this.data.index[node]}${this.lost.has(node) ? " of the older export" : ""}, ${this.named(node)}` }
    shape(look) { return draw("path", { class: "cg-shape", d: this.data.shapes[look[2]], fill: look[1] }) }
    mark(item) {
      const { id, x, y, w, h } = item, group = this.group(id), looks = this.looks()
      const level = this.level(id), names = ["cg-mark"]
      if (this.levels !== null) names.push(["cg-off", "cg-dim", "cg-lit", "cg-lit"][level])
      if (this.isHit(id)) names.push("cg-hit")
      if (id === this.visible(this.selected)) names.push("cg-selected")
      const attributes = { id: this.prefix + id, transform: `translate(${x} ${y})`, "data-id": id }
      if (!group) {
        const look = looks[this.value(id)], text = this.data.overlays[this.overlay].texts[id]
        if (this.lost.has(id)) names.push("cg-lost")
        return draw("g", { ...attributes, class: names.join(" "), role: "button",
          "aria-label": `${this.data.label[id]} #${this.data.index[id]}${this.lost.has(id) ? " of the older export" : ""}: ${look[3]}${text ? `; ${text}` : ""}${this.stubSaid(id)}`,
          "aria-pressed": String(id === this.selected) },
          draw("rect", { class: "cg-card", width: w, height: h, rx: 6 }),
          draw("g", { transform: `translate(15 ${h / 2})` }, this.shape(look)),
          draw("text", { x: 28, y: h / 2 + 4.5 }, this.data.label[id]), " ", // a blank, so that the label and the number are two words
          draw("text", { class: "cg-index", x: w - 8, y: h / 2 + 4.5 }, `#${this.data.index[id]}`))
      }
      const [kind, label, members] = group
      if (item.frame) {
        names.push("cg-open")
        const kids = [draw("rect", { class: "cg-frame", width: w, height: h, rx: 9 })]
        if (kind !== "row") kids.push(draw("text", { class: "cg-index cg-close", x: 10, y: 17 }, `− close ${number(members.length)}`))
        return draw("g", { ...attributes, class: names.join(" "), role: kind === "row" ? "group" : "button", "aria-expanded": kind === "row" ? null : "true",
          "aria-label": kind === "row" ? "a step and what it alone takes" : `− close ${number(members.length)}: ${label}` }, ...kids)
      }
      const counts = this.counts(id), all = counts.reduce((sum, one) => sum + one, 0), bars = []
      let left = 10
      counts.forEach((one, at) => {
        if (one) bars.push(draw("rect", { x: left, y: h - 11, width: one * (w - 20) / all, height: 5, fill: looks[at][1] }))
        left += one * (w - 20) / all
      })
      const said = counts.map((one, at) => one ? `${number(one)} ${looks[at][0]}` : "").filter(Boolean).join(", ")
      return draw("g", { ...attributes, class: [...names, "cg-group"].join(" "), role: "button", "aria-expanded": kind === "band" ? null : "false",
        "aria-label": `${label}: ${said}${this.stubSaid(id)}` },
        draw("rect", { class: "cg-card cg-behind", x: 4, y: -4, width: w, height: h, rx: 6 }),
        draw("rect", { class: "cg-card", width: w, height: h, rx: 6 }),
        draw("text", { x: 10, y: 18 }, label), ...bars)
    }
    // What a drawing of surroundings leaves out: above a mark what it takes too, below it what takes it too.
    stubs({ id, x, y, w, h }) {
      const [up, down] = this.scene.more?.get(id) ?? [0, 0], found = [], right = x + w
      for (const [many, from, to, at] of [[up, y, y - 10, y - 4], [down, y + h, y + h + 10, y + h + 12]]) if (many) found.push(
        draw("path", { class: "cg-link", d: `M${right - 10} ${from}V${to}` }), draw("text", { class: "cg-index cg-more", x: right - 14, y: at, "aria-hidden": "true" }, `+${number(many)}`))
      return found
    }
    stubSaid(id) {
      const [up, down] = this.scene.more?.get(id) ?? [0, 0]
      return `${up ? `; takes ${number(up)} more` : ""}${down ? `; ${number(down)} more take it` : ""}`
    }
    point() { // the mark that the keyboard is at
      this.marks.querySelector(".cg-focus")?.classList.remove("cg-focus")
      const element = this.drawn.get(this.focused)
      element?.classList.add("cg-focus")
      if (element) this.svg.setAttribute("aria-activedescendant", element.id)
      else this.svg.removeAttribute("aria-activedescendant")
    }
    recolour() {
      this.explain()
      this.clear()
      this.paint()
    }
    explain() { // the line above and the legend
      const overlay = this.data.overlays[this.overlay], used = new Set(overlay.values)
      this.note.textContent = overlay.note
      const keys = overlay.looks.map((look, at) => [look, overlay.values.reduce((sum, value) => sum + (value === at), 0)])
      const alternatives = this.lines.some(line => line.alternative)
      this.legend.replaceChildren(...keys.filter((_, at) => used.has(at)).map(([look, many]) =>
        make("li", {}, draw("svg", { width: 18, height: 18, viewBox: "-9 -9 18 18", "aria-hidden": "true" }, this.shape(look)), `${look[3]} (${number(many)})`)),
        ...(alternatives ? [make("li", {}, draw("svg", { width: 26, height: 18, viewBox: "0 0 26 18", "aria-hidden": "true" }, draw("path", { class: "cg-link cg-alt", d: "M1 9H25" })),
          "one of several alternatives: any of them will do")] : []))
    }
    choose(at) {
      this.overlay = at
      this.recolour()
      this.say()
    }

    // --- Doing ---------------------------------------------------------------------------------------------------

    click(event) {
      const mark = event.target.closest("[data-id]")
      if (mark) this.act(Number(mark.dataset.id))
      else if (this.isFar) {
        const { scale, x, y } = this.view, px = (event.offsetX - x) / scale, py = (event.offsetY - y) / scale
        const hit = this.items.find(one => !one.frame && px >= one.x && px <= one.x + one.w && py >= one.y && py <= one.y + one.h)
        if (hit) this.act(hit.id)
        else this.zoom(1 / this.view.scale, event.offsetX, event.offsetY)
      } else this.select(-1)
    }
    act(id) {
      this.focused = id
      const group = this.group(id)
      if (!group) return this.select(id === this.selected ? -1 : id)
      if (group[0] === "row") return undefined
      if (group[0] === "band") return this.band(id)
      return this.toggle(id)
    }
    toggle(id) {
      const before = this.at.get(id)
      const { open } = this.scene
      if (!open.delete(id)) open.add(id)
      this.arrange()
      const after = this.at.get(id)
      if (!this.moved && this.fitting() >= READABLE) this.fit()
      else this.keep(before, after)
      this.paint()
      this.announce(`${this.group(id)[1]}: ${open.has(id) ? "open" : "closed"}`)
    }
    keep(before, after) { // what was clicked stays where it was
      this.view.x += (before.x - after.x) * this.view.scale
      this.view.y += (before.y - after.y) * this.view.scale
      this.moved = true
    }
    select(node) {
      this.selected = node
      this.levels = null
      if (node >= 0) {
        this.ways = { up: this.rules.up(node), down: this.rules.down(node) }
        this.levels = new Uint8Array(this.count)
        for (const way of Object.values(this.ways)) {
          for (const one of way.dim) this.levels[one] = 1
          for (const one of way.lit) this.levels[one] = 2
        }
        this.levels[node] = 3
        this.focused = this.visible(node)
      }
      this.clear()
      this.paint()
      this.say()
      if (node >= 0) this.announce(`${this.title(node)}: ${this.looks()[this.value(node)][3]}. ${this.reached()}`)
    }
    go(node) { // from a list, a link or a search: open what hides it, bring it into view, select it
      let shut = false
      if (!this.holds(node)) return this.around(node)
      for (let over = this.scene.parent.get(node); over !== undefined; over = this.scene.parent.get(over))
        if (!this.isOpen(over)) { this.scene.open.add(over); shut = true }
      if (shut) this.arrange()
      this.select(node)
      this.show(this.visible(node))
      return this.paint()
    }
    holds(node) { // whether it can be shown in what is drawn now
      if (this.scene.has) return this.scene.has.has(node)
      const over = this.scene.parent.get(node)
      return over === undefined || this.group(over)[0] !== "band"
    }
    around(node) { // draw the ways to a record and from it
      const { data } = this, kindOf = one => `${data.state[one]} ${data.op[one]} ${this.lost.has(one)}`
      const scene = surroundings(this.rules, node, { count: this.count, widths: data.widths, group: data.sizes.group[0], kindOf, labelOf: one => data.label[one] })
      this.scenes.push({ ...this.scene, view: { ...this.view }, moved: this.moved, selected: this.selected })
      this.enter({ ...scene, open: new Set() })
      this.select(node)
      this.home()
      this.paint()
    }
    leave(whole = false) { // back to what was drawn before, or to the whole
      if (!this.scenes.length) return
      const before = whole ? this.scenes[0] : this.scenes.pop()
      if (whole) this.scenes = []
      this.enter(before)
      this.select(before.selected)
      this.view = before.view
      this.moved = before.moved
      this.paint()
      this.svg.focus({ preventScroll: true })
    }
    enter(scene) {
      this.scene = scene
      this.focused = -1
      this.arrange()
      this.explain()
      const back = (text, whole) => make("button", { type: "button", on: { click: () => this.leave(whole) } }, text)
      this.place.hidden = !scene.has
      if (scene.has) this.place.replaceChildren(`Around ${this.title(scene.node)}: ${number(scene.has.size)} of ${count(this.count, "record")}. `,
        back("Back", false), ...(this.scenes.length > 1 ? [" ", back("Whole export", true)] : []))
    }
    search() {
      const words = this.field.value.toLowerCase().split(/\s+/).filter(Boolean), { data } = this
      this.texts ??= data.label.map((label, at) => `${label}\n${data.name[at]}\n${data.digest[at]}\n${data.op[at]}\n${data.states[data.state[at]][0]}\n#${data.index[at]}\nrecord ${data.index[at]}\n`.toLowerCase())
      this.hits = []
      if (words.length) this.texts.forEach((text, at) => { if (words.every(word => text.includes(word))) this.hits.push(at) })
      this.hitSet = words.length ? new Set(this.hits) : undefined
      this.hit = -1
      this.told.textContent = words.length ? `${number(this.hits.length)} found` : ""
      this.clear()
      this.paint()
      this.onsearch?.(this.hitSet)
    }
    jump(by) {
      if (!this.hits.length) return
      this.hit = this.hit < 0 ? (by > 0 ? 0 : this.hits.length - 1) : (this.hit + by + this.hits.length) % this.hits.length
      this.told.textContent = `${number(this.hit + 1)} of ${number(this.hits.length)}`
      this.go(this.hits[this.hit])
    }
    searchKey(event) {
      if (event.key === "Enter") { event.preventDefault(); this.jump(event.shiftKey ? -1 : 1) }
      if (event.key === "Escape") { this.field.value = ""; this.search(); this.svg.focus() }
    }
    key(event) {
      if (event.ctrlKey || event.metaKey || event.altKey) return
      const moves = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] }
      if (moves[event.key] && event.shiftKey) this.pan(...moves[event.key])
      else if (moves[event.key]) this.move(...moves[event.key])
      else if (event.key === "Enter" || event.key === " ") { if (this.focused >= 0) { this.act(this.focused); this.show(this.focused) } }
      else if (event.key === "+" || event.key === "=") this.zoom(STEP)
      else if (event.key === "-") this.zoom(1 / STEP)
      else if (event.key === "0") this.toWhole()
      else if (event.key === "1") this.zoomTo(1)
      else if (event.key === "/") this.field.focus()
      else if (event.key === "Backspace") this.leave()
      else if (event.key === "Escape") { if (this.selected < 0) this.leave(); else this.select(-1) }
      else if (event.key === "Home" || event.key === "End") this.focus(this.stops().at(event.key === "Home" ? 0 : -1))
      else return
      event.preventDefault()
    }
    pan(dx, dy) {
      this.view.x -= dx * PAN
      this.view.y -= dy * PAN
      this.moved = true
      this.later()
    }
    stops() {
      return this.items.filter(item => !item.frame || this.group(item.id)[0] !== "row")
        .sort((a, b) => a.y - b.y || a.x - b.x).map(item => item.id)
    }
    move(dx, dy) {
      const from = this.at.get(this.focused)
      if (!from) return this.focus(this.stops()[0])
      const x = from.x + from.w / 2, y = from.y
      const joined = new Set(this.lines.flatMap(line => line.from === this.focused ? line.to : line.to === this.focused ? line.from : []))
      let best, least = Infinity
      for (const id of this.stops()) {
        const item = this.at.get(id), ax = item.x + item.w / 2 - x, ay = item.y - y
        if (dx ? Math.abs(ay) > 2 || ax * dx <= 0 : ay * dy <= 0) continue
        const far = dx ? Math.abs(ax) : Math.abs(ay) + Math.abs(ax) * 0.5 - (joined.has(id) ? 60 : 0)
        if (far < least) { least = far; best = id }
      }
      if (best !== undefined) return this.focus(best)
      if (!dx) return undefined
      const all = this.stops(), next = all[all.indexOf(this.focused) + dx] // the end of a layer leads to the next
      return next === undefined ? undefined : this.focus(next)
    }
    focus(id) {
      if (id === undefined) return
      this.focused = id
      this.show(id)
      this.paint()
      this.point()
      const element = this.drawn.get(id)
      if (element) this.announce(element.getAttribute("aria-label"))
    }
    announce(text) { this.live.textContent = text }

    // --- Details -------------------------------------------------------------------------------------------------

    reached() {
      const { up, down } = this.ways
      if (!this.rules.base[this.selected]) return "No build finds it: it takes itself, by way of others or directly, or a record that is not there."
      const said = [up.lit.length ? `If it changes, ${count(up.lit.length, "record")} no longer match${up.lit.length === 1 ? "es" : ""}.` : "If it changes, no other record loses its match."]
      if (up.dim.length) said.push(`${count(up.dim.length, "record")} further on would be reached too, but another alternative keeps ${up.dim.length === 1 ? "its" : "their"} match.`)
      if (down.lit.length) said.push(`It needs ${count(down.lit.length, "record")}${down.dim.length ? `; of ${number(down.dim.length)} more, some alternative is enough` : ""}.`)
      else if (down.dim.length) said.push(`Of the ${count(down.dim.length, "record")} that it can be made from, some alternative is enough.`)
      return said.join(" ")
    }
    link(node, label = this.data.label[node]) {
      if (node < 0) return make("span", {}, node === HIDDEN ? "a record out of focus" : "no such record")
      const look = this.looks()[this.value(node)]
      return make("button", { type: "button", class: "cg-to", on: { click: () => this.go(node) } },
        draw("svg", { width: 14, height: 14, viewBox: "-8 -8 16 16", "aria-hidden": "true" }, this.shape(look)), `#${this.data.index[node]} ${label}`)
    }
    list(nodes, most = 20) {
      const rest = nodes.length - most
      return make("ul", {}, ...nodes.slice(0, most).map(node => make("li", {}, this.link(node))),
        rest > 0 ? make("li", {}, `and ${number(rest)} more`) : null)
    }
    band(id) {
      const members = this.members(id), [, label] = this.group(id)
      this.focused = id
      this.point()
      this.panel.replaceChildren(make("h3", {}, label), make("p", {}, "Each opens a drawing of its surroundings. Search narrows them down."), this.list(members, 50))
      this.announce(`${label}: ${count(members.length, "record")}`)
    }
    say() {
      const node = this.selected, { data } = this
      if (node < 0) {
        const drawn = `${count(this.count, "record")}${data.records > this.count ? ` of ${number(data.records)}` : ""}`
        const how = data.summary ? `${drawn}, too many to draw: they are counted, those that take nothing above, a column for each state. Click a mark for its records, or search: the surroundings of a record are drawn.`
          : `${drawn} drawn, inputs above what takes them.${data.groups.length ? " Marks with a bar stand for several records: open them with a click." : ""}`
        this.panel.replaceChildren(make("p", {}, data.said), make("p", {}, how),
          data.summary ? "" : make("p", {}, "Click a record to see what it needs and what runs again when it changes."))
        return
      }
      const overlay = data.overlays[this.overlay], look = overlay.looks[overlay.values[node]], facts = make("dl", {})
      const fact = (name, ...what) => facts.append(make("dt", {}, name), make("dd", {}, ...what))
      fact("state", data.states[data.state[node]][1])
      if (this.overlay || overlay.texts[node]) fact(overlay.name, `${look[3]}${overlay.texts[node] ? `: ${overlay.texts[node]}` : ""}`)
      if (data.op[node] !== "unknown") fact("operation", data.op[node])
      fact("digest", make("code", {}, data.digest[node]))
      for (const [file, line] of data.lines[node] ?? []) fact("asked for by", `${file}:${line}`)
      for (const [size, made, reason] of data.results[node])
        fact("result", [bytes(size), made ? `made ${made.slice(0, 19).replace("T", " ")}` : "", reason ? `cannot be loaded (${reason})` : ""].filter(Boolean).join(", "))
      this.panel.replaceChildren(
        make("h3", {}, `${this.lost.has(node) ? "Older record" : "Record"} ${data.index[node]}`), make("p", { class: "cg-name" }, this.named(node)),
        this.scene.node === node || this.count <= AROUND ? "" : make("p", {}, make("button", { type: "button", on: { click: () => this.around(node) } }, "Draw its surroundings")),
        make("p", {}, this.reached()), facts,
        ...(this.notes.get(node) ?? []).map(([, severity, code, text]) => make("p", { class: `cg-finding cg-${severity}` }, make("strong", {}, `${severity} ${code} `), text)),
        ...data.slots[node].flatMap((slot, at) => [make("h4", {}, slot.length > 1 ? `Takes, slot ${at}: any one of` : `Takes, slot ${at}`), this.list(slot)]),
        ...(this.rules.takers[node].length ? [make("h4", {}, "Taken by"), this.list(this.rules.takers[node])] : []))
      this.panel.scrollTop = 0
    }
  }

  // Much data comes compressed: Base64 of a zlib stream.
  async function unpacked(text) {
    const packed = Uint8Array.from(atob(text), char => char.charCodeAt(0))
    return new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"))).text()
  }
  const drawings = []
  const mount = (root, data) => new Drawing(root, data)
  const ready = Promise.all([...document.querySelectorAll("script[data-drawing]")].map(async (script, at) => {
    const root = document.getElementById(script.dataset.drawing)
    let text = script.textContent
    try {
      if (script.type === "application/zlib") text = await unpacked(text)
    } catch (error) {
      root.replaceChildren(make("p", { role: "alert" }, `This browser cannot open the drawing: ${error.message}`))
      return
    }
    drawings[at] = mount(root, JSON.parse(text))
  }))
  Object.assign(window.cachegraph, { mount, drawings, ready })
})();
