// What follows from what in a record graph. No page is needed to run it.
(() => {
  "use strict"
  const HIDDEN = -2 // in a slot: a record out of focus, taken for matched
  const WORDS = 32

  // A record matches if in every slot some alternative does (AND over slots, OR within).
  class Rules {
    constructor(slots) {
      this.slots = slots
      this.inputs = slots.map(own => [...new Set(own.flat().filter(link => link >= 0))])
      this.takers = slots.map(() => [])
      this.inputs.forEach((own, node) => own.forEach(link => this.takers[link].push(node)))
      const waiting = this.inputs.map(own => own.length)
      this.order = []
      waiting.forEach((left, node) => { if (!left) this.order.push(node) })
      for (let at = 0; at < this.order.length; at++)
        for (const taker of this.takers[this.order[at]]) if (!--waiting[taker]) this.order.push(taker)
    }
    matched(changed = -1) {
      const found = new Uint8Array(this.slots.length)
      for (const node of this.order)
        if (node !== changed && this.slots[node].every(slot => slot.some(link => link === HIDDEN || found[link]))) found[node] = 1
      return found
    }
    reach(start, next) {
      const seen = new Set([start])
      for (const node of seen) for (const other of next[node]) seen.add(other)
      seen.delete(start)
      return seen
    }
    // Records that lose their match when this one changes, and those that another alternative saves.
    up(start) {
      this.base ??= this.matched()
      const after = this.matched(start), lit = [], dim = []
      for (const node of this.reach(start, this.takers)) (this.base[node] && !after[node] ? lit : dim).push(node)
      return { lit, dim }
    }
    // Records without which this one cannot match, and those that are one way of several.
    down(start) {
      this.base ??= this.matched()
      const below = this.reach(start, this.inputs)
      if (!this.base[start]) return { lit: [], dim: [...below] }
      const nodes = this.order.filter(node => this.base[node] && (node === start || below.has(node)))
      nodes.length = nodes.indexOf(start) + 1
      const place = new Map(nodes.map((node, at) => [node, at]))
      const slots = nodes.map(node => this.slots[node].filter(slot => !slot.includes(HIDDEN))
        .map(slot => slot.map(link => place.get(link)).filter(at => at !== undefined)))
      const lit = new Set(), need = new Uint32Array(nodes.length * WORDS), own = new Uint32Array(WORDS)
      // A set of bits for each record would be their number squared: so many records are asked after at a time.
      for (let from = 0; from < nodes.length; from += WORDS * 32) {
        need.fill(0)
        for (let at = from; at < nodes.length; at++) {
          for (const slot of slots[at]) {
            if (slot.some(other => other < from)) continue // nothing that is asked after is before those
            for (let word = 0; word < WORDS; word++) {
              own[word] = need[slot[0] * WORDS + word]
              for (let other = 1; other < slot.length; other++) own[word] &= need[slot[other] * WORDS + word]
              need[at * WORDS + word] |= own[word]
            }
          }
          if (at < from + WORDS * 32) need[at * WORDS + ((at - from) >> 5)] |= 1 << (at - from & 31)
        }
        const last = (nodes.length - 1) * WORDS
        for (let at = from; at < Math.min(from + WORDS * 32, nodes.length); at++)
          if (need[last + ((at - from) >> 5)] & (1 << (at - from & 31))) lit.add(nodes[at])
      }
      lit.delete(start)
      return { lit: [...lit], dim: [...below].filter(node => !lit.has(node)) }
    }
  }

  window.cachegraph = { Rules, HIDDEN }
})();
