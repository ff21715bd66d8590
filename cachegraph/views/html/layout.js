// What is around one record, as a drawing of its own: the ways to it and from it, what of them folds, where marks stand.
// The steps are those of the whole drawing's layout (cachegraph/views/drawing), for a few dozen marks.
(() => {
  "use strict"
  const MARKS = 60, MOST = [4000, 1000, 300, 120, 60, 30, 15] // records each way: the first that folds to so few marks
  const CHAIN = 4, FAN = 5, NEAR = 2, ROUNDS = 4
  const GAP = 20, PASS = 14, WIDE = 1500, SWEEPS = 16, BEND = 12

  // Records on the ways to and from one, nearest first, by their distance.
  function nearest(rules, start, most) {
    const far = new Map([[start, 0]])
    for (const next of [rules.inputs, rules.takers]) {
      let left = most, edge = [start]
      for (let distance = 1; edge.length && left > 0; distance++) {
        const found = []
        for (const node of edge) for (const other of next[node]) if (left > 0 && !far.has(other)) { far.set(other, distance); found.push(other); left-- }
        edge = found
      }
    }
    return far
  }

  // Marks of some records: what is alike and what follows one another is one, but for what is near.
  function fold(rules, far, start, kindOf, labelOf, count) {
    const up = new Map(), down = new Map(), groups = [], distance = new Map(far), kinds = new Map()
    for (const node of far.keys()) {
      up.set(node, new Set(rules.inputs[node].filter(other => other !== node && far.has(other))))
      down.set(node, new Set())
      kinds.set(node, kindOf(node))
    }
    for (const [node, own] of up) for (const other of own) down.get(other).add(node)
    const first = id => id < count ? id : first(groups[id - count][2][0])
    const join = (kind, members) => {
      const id = count + groups.length, inside = new Set(members), name = labelOf(first(members[0]))
      const label = `${members.length.toLocaleString("en")} ${kind === "fan" ? "alike" : "in a row"}: ${name}`
      groups.push([kind, label.length > 26 ? `${label.slice(0, 25)}…` : label, members])
      const outer = of => new Set(members.flatMap(member => [...of.get(member)]).filter(other => !inside.has(other)))
      const above = outer(up), below = outer(down)
      distance.set(id, Math.min(...members.map(member => distance.get(member))))
      kinds.set(id, `${kind} ${members.map(member => kinds.get(member)).join()}`)
      for (const member of members) { up.delete(member); down.delete(member) }
      up.set(id, above)
      down.set(id, below)
      for (const [others, of] of [[above, down], [below, up]]) for (const other of others) {
        const own = of.get(other)
        for (const member of members) own.delete(member)
        own.add(id)
      }
    }
    const fans = () => {
      const equal = new Map()
      for (const [id, own] of up) {
        if (id === start) continue
        const key = [kinds.get(id), [...own].sort(), [...down.get(id)].sort()].join("|")
        equal.set(key, [...(equal.get(key) ?? []), id])
      }
      const found = [...equal.values()].filter(members => members.length >= FAN)
      found.forEach(members => join("fan", members))
      return found.length
    }
    const after = id => {
      if (id === undefined || distance.get(id) <= NEAR || down.get(id).size !== 1) return undefined
      const [next] = down.get(id)
      return distance.get(next) > NEAR && up.get(next).size === 1 ? next : undefined
    }
    const chains = () => {
      const found = []
      for (const id of up.keys()) {
        if (after(id) === undefined || [...up.get(id)].some(other => after(other) === id)) continue
        const chain = [id]
        for (let next = after(id); next !== undefined; next = after(next)) chain.push(next)
        if (chain.length >= CHAIN) found.push(chain)
      }
      found.forEach(members => join("chain", members))
      return found.length
    }
    for (let round = 0; far.size > MARKS && round < ROUNDS && fans() + chains(); round++);
    const marks = [...up.keys()].sort((a, b) => first(a) - first(b)), place = new Map(marks.map((mark, at) => [mark, at]))
    return { marks, groups, inputs: marks.map(mark => [...up.get(mark)].map(other => place.get(other))) }
  }

  // Inputs first; where a loop leaves none to take, the first one left goes ahead of its inputs.
  function ordered(inputs) {
    const takers = inputs.map(() => []), waiting = inputs.map(own => own.length), order = [], taken = new Set()
    inputs.forEach((own, at) => own.forEach(link => takers[link].push(at)))
    const take = at => { if (!taken.has(at)) { taken.add(at); order.push(at) } }
    waiting.forEach((left, at) => { if (!left) take(at) })
    for (let at = 0, next = 0; ; at++) {
      while (at === order.length) { if (next === inputs.length) return order; take(next++) }
      for (const taker of takers[order[at]]) if (!--waiting[taker]) take(taker)
    }
  }
  function layered(order, above, below, widths) {
    const layers = order.map(() => 0)
    for (const at of order) layers[at] = 1 + Math.max(-1, ...above[at].map(link => layers[link]))
    for (const at of [...order].reverse())
      if (below[at].length && above[at].length <= below[at].length) layers[at] = Math.min(...below[at].map(taker => layers[taker])) - 1
    narrow(layers, order.filter(at => !below[at].length), widths, 1)
    narrow(layers, order.filter(at => !above[at].length && below[at].length), widths, -1)
    const used = [...new Set(layers)].sort((a, b) => a - b)
    return layers.map(layer => used.indexOf(layer))
  }
  // What may stand further on leaves layers that are too wide.
  function narrow(layers, free, widths, way) {
    const total = new Map()
    layers.forEach((layer, at) => total.set(layer, (total.get(layer) ?? 0) + widths[at] + GAP))
    for (const at of [...free].sort((a, b) => (layers[a] - layers[b]) * way)) {
      const wide = widths[at] + GAP
      while (total.get(layers[at]) > WIDE && total.get(layers[at]) > wide) {
        total.set(layers[at], total.get(layers[at]) - wide)
        layers[at] += way
        total.set(layers[at], (total.get(layers[at]) ?? 0) + wide)
      }
    }
  }

  // The places nearest to the wanted ones, in this order and far enough apart (pool adjacent violators).
  function spread(wanted, weights, offsets) {
    const pools = []
    wanted.forEach((want, at) => {
      let mean = want - offsets[at], total = weights[at], many = 1
      while (pools.length && pools.at(-1)[0] > mean) {
        const [before, own, few] = pools.pop()
        mean = (before * own + mean * total) / (own + total)
        total += own
        many += few
      }
      pools.push([mean, total, many])
    })
    return pools.flatMap(([mean, , many]) => Array(many).fill(mean)).map((x, at) => x + offsets[at])
  }

  function layOut(inputs, sizes) {
    const count = inputs.length, order = ordered(inputs), rank = []
    order.forEach((at, position) => { rank[at] = position })
    const above = inputs.map((own, at) => own.filter(link => rank[link] < rank[at])), below = inputs.map(() => [])
    above.forEach((own, at) => own.forEach(link => below[link].push(at)))
    const layer = layered(order, above, below, sizes), widths = [...sizes], up = inputs.map(() => []), down = inputs.map(() => []), courses = []
    for (const at of order) for (const link of above[at]) {
      const course = [link]
      for (let stop = layer[link] + 1; stop < layer[at]; stop++) {
        course.push(layer.length)
        layer.push(stop)
        widths.push(PASS)
        up.push([])
        down.push([])
      }
      course.push(at)
      courses.push(course)
      for (let i = 1; i < course.length; i++) { down[course[i - 1]].push(course[i]); up[course[i]].push(course[i - 1]) }
    }
    const rows = Array.from({ length: 1 + Math.max(0, ...layer) }, () => []), seen = new Set()
    const walk = at => { if (!seen.has(at)) { seen.add(at); rows[layer[at]].push(at); up[at].forEach(walk) } }
    layer.forEach((_, at) => { if (!down[at].length) walk(at) })
    const sorted = sort(rows, up, down), xs = placed(sorted, widths, up, down, count)
    const left = Math.min(...xs.slice(0, count).map((x, at) => x - widths[at] / 2))
    const at = xs.map(x => Math.round(x - left))
    return { layers: layer.slice(0, count), xs: at.slice(0, count), links: ported(courses, at, sizes) }
  }
  function sort(rows, up, down) {
    const position = []
    const number = () => rows.forEach(row => row.forEach((at, i) => { position[at] = i }))
    const crossings = () => rows.reduce((sum, row) => {
      const ends = row.flatMap(at => down[at].map(other => position[other]).sort((a, b) => a - b).map(end => [position[at], end]))
      return sum + ends.reduce((own, [from, to], i) => own + ends.slice(0, i).filter(one => one[0] < from && one[1] > to).length, 0)
    }, 0)
    number()
    let best = rows.map(row => [...row]), least = crossings()
    for (let sweep = 0; sweep < SWEEPS && least; sweep++) {
      const near = sweep % 2 ? down : up
      for (const row of sweep % 2 ? [...rows].reverse() : rows) {
        const mean = new Map(row.map(at => [at, near[at].length ? near[at].reduce((sum, other) => sum + position[other], 0) / near[at].length : position[at]]))
        row.sort((a, b) => mean.get(a) - mean.get(b))
        row.forEach((at, i) => { position[at] = i })
      }
      const now = crossings()
      if (now < least) { least = now; best = rows.map(row => [...row]) }
    }
    return best
  }
  function placed(rows, widths, up, down, count) {
    const xs = [], apart = (one, other) => (widths[one] + widths[other]) / 2 + (one < count || other < count ? GAP : 4)
    const offsets = rows.map(row => {
      let at = 0
      const own = row.map((one, i) => (at += i ? apart(row[i - 1], one) : 0))
      row.forEach((one, i) => { xs[one] = own[i] - at / 2 })
      return own
    })
    const pull = (one, other) => one >= count && other >= count ? 6 : one >= count || other >= count ? 2 : 1
    for (let sweep = 0; sweep < SWEEPS; sweep++) {
      const both = sweep >= SWEEPS - 2, order = rows.map((_, at) => at)
      for (const at of sweep % 2 ? order.reverse() : order) {
        const wanted = [], weights = []
        for (const one of rows[at]) {
          let sum = 0, weight = 0
          for (const near of both ? [up, down] : [sweep % 2 ? down : up]) for (const other of near[one]) { sum += pull(one, other) * xs[other]; weight += pull(one, other) }
          wanted.push(weight ? sum / weight : xs[one])
          weights.push(weight || 0.1)
        }
        spread(wanted, weights, offsets[at]).forEach((x, i) => { xs[rows[at][i]] = x })
      }
    }
    return xs
  }
  // Lines that meet at a mark end side by side, in the order in which they come.
  function ported(courses, xs, widths) {
    const lines = courses.map(course => course.map(at => xs[at]))
    for (const [end, next] of [[0, 1], [-1, -2]]) {
      const met = new Map()
      courses.forEach((course, i) => met.set(course.at(end), [...(met.get(course.at(end)) ?? []), i]))
      for (const [mark, own] of met) {
        const step = Math.min(PASS, (widths[mark] - 16) / own.length)
        own.sort((a, b) => xs[courses[a].at(next)] - xs[courses[b].at(next)])
        own.forEach((i, order) => { lines[i][end ? lines[i].length - 1 : 0] += step * (order - (own.length - 1) / 2) })
      }
    }
    for (const line of lines) // small bends mean nothing
      for (let at = 1; at < line.length - 1; at++) if (Math.abs(line[at] - line[at - 1]) < BEND) line[at] = line[at - 1]
    return courses.map((course, i) => [course[0], course.at(-1), lines[i].map(Math.round)])
  }

  // The surroundings of a record: marks, places and links as Scene.to_dict() gives them, groups, and how much more there is.
  function surroundings(rules, start, { count, widths, group, kindOf, labelOf }) {
    let made, far
    for (const most of MOST) {
      far = nearest(rules, start, most)
      made = fold(rules, far, start, kindOf, labelOf, count)
      if (made.marks.length <= MARKS) break
    }
    const { marks, groups, inputs } = made, parent = new Map()
    groups.forEach(([, , members], at) => members.forEach(member => parent.set(member, count + at)))
    const markOf = node => { while (parent.has(node)) node = parent.get(node); return node }
    const { layers, xs, links } = layOut(inputs, marks.map(mark => mark < count ? widths[mark] : group))
    const needed = new Set(), more = new Map()
    for (const node of far.keys()) {
      const mark = markOf(node), own = more.get(mark) ?? [0, 0]
      own[0] += rules.inputs[node].filter(other => !far.has(other)).length
      own[1] += rules.takers[node].filter(other => !far.has(other)).length
      more.set(mark, own)
      for (const slot of rules.slots[node]) if (slot.length === 1) needed.add(`${markOf(slot[0])} ${mark}`)
    }
    const drawn = links.map(([from, to, course]) => [from, to, needed.has(`${marks[from]} ${marks[to]}`) ? 0 : 1, ...course])
    return { sheet: [marks, layers, xs, drawn], groups, parent, more, has: far, node: start }
  }
  Object.assign(window.cachegraph, { surroundings })
})();
