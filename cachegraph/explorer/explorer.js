// Records of an export that is too large for one drawing: searched and opened through the API of the same server.
// Whatever an export says goes into text nodes, never into markup.
(() => {
  "use strict"
  const input = document.getElementById("search")
  if (!input) return
  const list = document.getElementById("records"), count = document.getElementById("count"), more = document.getElementById("more")
  const base = `/api/exports/${encodeURIComponent(input.dataset.export)}/records`
  let asked = 0, next = null

  function make(name, attributes, ...children) {
    const element = document.createElement(name)
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value)
    element.append(...children)
    return element
  }
  async function get(address) {
    const answer = await fetch(address, { headers: { accept: "application/json" } })
    const said = await answer.json()
    if (!answer.ok) throw new Error(said.detail)
    return said
  }
  function item(record) {
    const name = `#${record.index ?? record.record} ${record.name ?? record.digest ?? ""}`
    const button = make("button", { type: "button", "aria-expanded": "false", class: "cg-to" }, name)
    const own = make("li", {}, button, ` ${record.state ?? ""}`)
    button.addEventListener("click", () => open(own, button, record.index ?? record.record))
    return own
  }
  async function open(own, button, index) {
    const shown = own.querySelector(":scope > div")
    if (shown) {
      shown.hidden = !shown.hidden
      button.setAttribute("aria-expanded", String(!shown.hidden))
      return
    }
    const inside = make("div", {})
    own.append(inside)
    button.setAttribute("aria-expanded", "true")
    try {
      const record = await get(`${base}/${index}`)
      const around = make("a", { href: `?record=${index}` }, "Draw its surroundings")
      inside.append(make("p", {}, make("code", {}, record.digest), " ", around))
      for (const finding of record.findings) inside.append(make("p", { class: `cg-finding cg-${finding.severity}` }, finding.message))
      record.slots.forEach((slot, number) => {
        const said = slot.length > 1 ? `Slot ${number}, any one of:` : `Slot ${number}:`
        inside.append(make("p", {}, said), make("ul", { class: "e-records" }, ...slot.map(item)))
      })
      if (!record.slots.length) inside.append(make("p", {}, "It takes nothing: a base image, files, or another source."))
    } catch (error) {
      inside.append(make("p", { role: "alert" }, `Cannot be shown: ${error.message}`))
    }
  }
  async function fill(after) {
    const mine = ++asked
    const found = await get(`${base}?limit=100&after=${after}&search=${encodeURIComponent(input.value)}`)
    if (mine !== asked) return // somebody typed on
    if (!after) list.replaceChildren()
    list.append(...found.items.map(item))
    next = found.next
    more.hidden = next === null
    count.textContent = `${found.total.toLocaleString("en")} found`
  }
  const fail = error => { count.textContent = `Cannot be shown: ${error.message}` }
  let waiting
  input.addEventListener("input", () => {
    clearTimeout(waiting)
    waiting = setTimeout(() => fill(0).catch(fail), 150)
  })
  more.addEventListener("click", () => fill(next).catch(fail))
  fill(0).catch(fail)
})()
