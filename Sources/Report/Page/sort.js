// Adds a sort button to each column heading of tables with the class "sortable".
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  const heads = Array.from(table.tHead.rows[0].cells);
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "sort";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      for (const other of heads) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const key = (row) => row.cells[column];
      const rows = Array.from(body.rows);
      rows.sort((first, second) => {
        const [a, b] = [key(first), key(second)];
        const [x, y] = [a.dataset.order, b.dataset.order];
        const order = x !== undefined && y !== undefined ? Number(x) - Number(y)
          : x !== undefined ? -1 : y !== undefined ? 1 : a.textContent.localeCompare(b.textContent);
        return down ? -order : order;
      });
      body.append(...rows);
    });
  });
}
