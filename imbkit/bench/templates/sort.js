"use strict";
for (const table of document.querySelectorAll("table[data-sort]")) {
  const heads = [...table.tHead.rows[0].cells], body = table.tBodies[0];
  const key = (row, k) => row.cells[k].dataset.v ?? row.cells[k].textContent.trim();
  const compare = (a, b) => Number(a) - Number(b) || a.localeCompare(b, "en", { numeric: true });
  heads.forEach((head, k) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      // Numbers start with the largest, names with the first; a second press turns the order.
      const first = k ? "descending" : "ascending", second = k ? "ascending" : "descending";
      const order = head.getAttribute("aria-sort") === first ? second : first;
      const sign = order === "ascending" ? 1 : -1;
      const known = [...body.rows].filter(row => key(row, k) !== "–");
      const unknown = [...body.rows].filter(row => key(row, k) === "–");
      known.sort((a, b) => sign * compare(key(a, k), key(b, k)));
      body.append(...known, ...unknown);
      heads.forEach(other => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", order);
    });
  });
}
