"""What is measured of a page, as JavaScript: contrast, size of labels, what is cut off."""

CONTRAST = """
(selector) => {
  const light = c => { const [r, g, b] = c.match(/[\\d.]+/g).map(Number).map(v => v / 255)
    .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const ground = light(getComputedStyle(document.body).backgroundColor);
  const ratio = c => { const l = light(c);
    return (Math.max(l, ground) + 0.05) / (Math.min(l, ground) + 0.05); };
  return Math.min(...[...document.querySelectorAll(selector)]
    .filter(e => !e.closest('.notice, .toast') && (!e.matches('text') || !e.closest('#time')))
    .map(e => ratio(getComputedStyle(e)[e.matches('text') ? 'fill' : 'color'])));
}
"""
"""The least contrast with the ground among what a selector finds."""

SMALLEST_LABEL_PX = """
  Math.min(...[...document.querySelectorAll('.chart svg text')].map(e => {
    const at = e.getCTM();
    return parseFloat(getComputedStyle(e).fontSize) * Math.hypot(at.c, at.d); }))
"""

CUT_OFF = """
  [...document.querySelectorAll('.chart svg')].flatMap(svg => {
    const frame = svg.getBoundingClientRect();
    return [...svg.querySelectorAll('text')].filter(e => {
      const box = e.getBoundingClientRect();
      return box.left < frame.left - 1 || box.right > frame.right + 1; })
      .map(e => e.textContent); })
"""

OPEN_ALL = "document.querySelectorAll('details').forEach(each => each.open = true)"
SCROLL_WIDTH = "document.documentElement.scrollWidth"
