// Gives Chart.js what each figure's data block holds, in the colours of the moment: light, dark or paper.
(() => {
  "use strict";
  const root = document.documentElement;
  root.classList.add("js");
  Chart.register(window["chartjs-plugin-annotation"]);
  Chart.defaults.animation = false;
  Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
  Chart.defaults.font.size = 12.5;

  const LOOKS = [["one", [], "circle"], ["two", [6, 3], "triangle"], ["three", [2, 2], "rect"], ["four", [8, 3, 2, 3], "rectRot"]];
  const DASHES = { step: [], writer: [6, 3], sentinel: [2, 3], problem: [], event: [] };
  const LANE = 21;
  const PAPER = 680;
  const shown = [];

  const colour = (name) => getComputedStyle(root).getPropertyValue(`--${name}`).trim();
  const readable = (value) => Math.abs(value) >= 100 ? Math.round(value).toLocaleString("en") : String(Number(value.toPrecision(3)));

  function span(data) {
    const places = data.series.flatMap((each) => each.points.map((point) => point[0]));
    places.push(...data.marks.map((mark) => mark[1]), ...data.spans.flatMap((each) => each.slice(0, 2)));
    return [Math.min(0, ...places), Math.max(0.001, ...places)];
  }

  // Puts the numbers of marks into lanes so that none covers another; what fits nowhere joins the one before.
  function laned(marks, plot, [from, to]) {
    const lanes = [];
    const groups = [];
    for (const [number, at, kind] of marks) {
      // Numbers at the edges are pushed inwards, so that they are not cut.
      const x = Math.min(plot - 14, Math.max(14, ((at - from) / (to - from)) * plot));
      const lane = [0, 1, 2, 3].find((each) => lanes[each] === undefined || x - lanes[each] > 27);
      if (lane === undefined) {
        const last = groups[groups.length - 1];
        last.to = number;
        last.kind = last.kind === kind ? kind : "step";
        lanes[last.lane] = Math.max(lanes[last.lane], x + 10);
      } else {
        lanes[lane] = x;
        groups.push({ from: number, to: number, at, kind, lane });
      }
    }
    return [groups, lanes.length];
  }

  function annotations(data, plot, range) {
    const [groups, lanes] = laned(data.marks, plot, range);
    const found = {};
    data.spans.forEach(([from, to, text], index) => {
      found[`span${index}`] = {
        type: "box", xScaleID: "x", yScaleID: "y0", xMin: from, xMax: to, backgroundColor: colour("span"), borderColor: colour("two"),
        borderWidth: 1, borderDash: [4, 3], drawTime: "beforeDatasetsDraw",
        label: { display: true, content: text, position: { x: "center", y: data.marks.length ? "center" : "start" }, color: colour("ink"), font: { size: 12, weight: "bold" }, padding: 3 },
      };
    });
    for (const [number, at, kind] of data.marks) {
      const group = groups.find((each) => each.from === number);
      const look = DASHES[kind] && kind !== "event" ? kind : "step";
      const badge = group && DASHES[group.kind] && group.kind !== "event" ? group.kind : "step";
      found[`mark${number}`] = {
        type: "line", scaleID: "x", value: at, borderColor: colour(look), borderWidth: kind === "problem" ? 2 : 1,
        borderDash: DASHES[look], drawTime: "beforeDatasetsDraw",
        label: {
          display: Boolean(group), drawTime: "afterDatasetsDraw", position: "start", yAdjust: group ? group.lane * LANE : 0,
          content: group ? (group.to > group.from ? `${group.from}–${group.to}` : String(group.from)) : "",
          backgroundColor: colour(badge), color: colour("on-mark"), borderRadius: 9,
          padding: { x: 6, y: 2 }, font: { size: 11, weight: "bold" },
        },
      };
    }
    return [found, data.spans.length ? Math.max(1, lanes) : lanes];
  }

  function overTime(data, width, height) {
    const range = span(data);
    const [marks, lanes] = annotations(data, width - 70, range);
    const units = [...new Set(data.series.map((each) => each.unit))];
    const room = lanes ? lanes * LANE + 6 : 0;
    const rest = Math.max(80, height - 90 - room);
    const scales = {
      x: axis({ type: "linear", min: range[0], max: range[1], title: { display: true, text: "seconds", color: colour("quiet") } }),
    };
    scales.x.ticks.includeBounds = false;
    // From top to bottom: room for the numbers of the marks, then an axis for each unit.
    const stacked = units.map((unit, index) => [`y${index}`, index ? 1.3 : 2, unit]);
    const weights = stacked.reduce((sum, each) => sum + each[1], 0);
    // Chart.js stacks from the bottom: the last axis lies on top.
    for (const [name, weight, unit] of [...stacked].reverse()) {
      scales[name] = axis({
        stack: "all", stackWeight: (weight / weights) * rest, beginAtZero: true, offset: units.length > 1, grace: "4%",
        title: { display: true, text: unit, color: colour("quiet") },
      });
      scales[name].ticks.maxTicksLimit = name === "y0" ? 6 : 4;
      scales[name].ticks.callback = readable;
    }
    if (room) {
      scales.room = { type: "linear", position: "left", stack: "all", stackWeight: room, min: 0, max: 1, ticks: { display: false }, grid: { display: false }, border: { display: false } };
    }
    const quick = data.kind === "latency";
    return {
      type: "line",
      data: {
        datasets: data.series.map((each, index) => {
          const [name, dash, point] = LOOKS[index % LOOKS.length];
          return {
            label: units.length > 1 ? `${each.name} (${each.unit})` : each.name, data: each.points.map(([x, y]) => ({ x, y })), yAxisID: `y${units.indexOf(each.unit)}`,
            borderColor: colour(name), backgroundColor: colour(index === 1 ? "fill-two" : "fill"), borderDash: dash, borderWidth: quick ? 1.5 : 2,
            fill: index < 2 ? "origin" : false, pointStyle: point, pointBackgroundColor: colour(name), pointRadius: quick || each.points.length > 80 ? 0 : 2.5, pointHitRadius: 8,
          };
        }),
      },
      options: options(data, marks, scales, { mode: "nearest", axis: "x", intersect: false }, (item) => `${item[0].parsed.x.toFixed(2)} s`),
    };
  }

  // Breaks a label between words, so that it leaves room for its bar.
  function wrapped(text, letters) {
    const lines = [""];
    for (const word of text.split(" ")) {
      const last = lines[lines.length - 1];
      if (last && last.length + word.length >= letters) lines.push(word);
      else lines[lines.length - 1] = last ? `${last} ${word}` : word;
    }
    return lines;
  }

  function bars(data, width) {
    const many = data.series.length > 1;
    const units = [...new Set(data.series.map((each) => each.unit))].join(", ");
    const percent = data.series.every((each) => each.unit === "%");
    const of = (each, index) => { const found = each.points.find((point) => Math.round(point[0]) === index); return found ? found[1] : null; };
    const labels = data.labels.map((label, index) => {
      const value = many ? null : of(data.series[0], index);
      const lines = wrapped(label, Math.max(12, Math.round(width / 24)));
      return value === null ? lines : [...lines, `${readable(value)} ${data.series[0].unit}`.trim()];
    });
    const scales = {
      x: axis({ beginAtZero: true, max: percent ? 100 : undefined, title: { display: Boolean(units), text: units, color: colour("quiet") } }),
      y: axis({ type: "category" }),
    };
    scales.x.ticks.callback = readable;
    scales.y.grid.display = false;
    scales.y.ticks.color = colour("ink");
    return {
      type: "bar",
      data: {
        labels,
        datasets: data.series.map((each, index) => ({
          label: each.unit ? `${each.name} (${each.unit})` : each.name, data: data.labels.map((_, place) => of(each, place) || null),
          backgroundColor: index % 2 ? hatched(colour(LOOKS[index % 4][0])) : colour(LOOKS[index % 4][0]),
          borderColor: colour(LOOKS[index % 4][0]), borderWidth: 1.5, borderRadius: 3, maxBarThickness: 26, minBarLength: 2,
        })),
      },
      options: { ...options(data, {}, scales, { mode: "nearest", axis: "y", intersect: false }), indexAxis: "y" },
    };
  }

  // A second row of bars is told from the first by its pattern, not by its colour alone.
  function hatched(line) {
    const tile = document.createElement("canvas");
    tile.width = tile.height = 8;
    const pen = tile.getContext("2d");
    pen.strokeStyle = line;
    pen.lineWidth = 2;
    pen.beginPath();
    pen.moveTo(-2, 10); pen.lineTo(10, -2);
    pen.moveTo(-2, 2); pen.lineTo(2, -2);
    pen.moveTo(6, 10); pen.lineTo(10, 6);
    pen.stroke();
    return pen.createPattern(tile, "repeat");
  }

  function axis(more) {
    return { ...more, grid: { color: colour("grid") }, border: { color: colour("edge") }, ticks: { color: colour("quiet"), maxRotation: 0, autoSkipPadding: 12 } };
  }

  function options(data, marks, scales, interaction, title) {
    return {
      responsive: false, maintainAspectRatio: false, interaction, scales,
      plugins: {
        legend: { display: data.series.length > 1, position: "bottom", labels: { color: colour("ink"), usePointStyle: true, boxHeight: 8, pointStyleWidth: 12, padding: 14 } },
        tooltip: { callbacks: title ? { title } : {} },
        annotation: { annotations: marks },
      },
    };
  }

  function draw(each, paper) {
    const width = paper ? PAPER : each.box.clientWidth;
    if (!width) return;
    const rows = each.data.labels.length * Math.max(1, each.data.series.length);
    const flat = each.data.kind === "bars";
    const height = flat ? 76 + rows * (width < 500 ? 56 : 46) + (each.data.series.length > 1 ? 30 : 0) : !each.data.series.length ? 150 : each.data.kind === "timeline" ? 420 : 270;
    each.box.style.height = paper ? "" : `${height}px`;
    if (each.chart) each.chart.destroy();
    each.canvas.width = width;
    each.canvas.height = height;
    each.canvas.style.width = `${width}px`;
    each.canvas.style.height = `${height}px`;
    const made = flat ? bars(each.data, width) : overTime(each.data, width, height);
    made.options.devicePixelRatio = paper ? 3 : Math.max(1, window.devicePixelRatio);
    each.chart = new Chart(each.canvas, made);
    each.width = width;
  }

  function drawAll(paper) {
    root.classList.toggle("paper", paper);
    for (const each of shown) draw(each, paper);
  }

  for (const figure of document.querySelectorAll(".chart")) {
    const each = {
      box: figure.querySelector(".canvas"), canvas: figure.querySelector("canvas"),
      data: JSON.parse(figure.querySelector("script").textContent), chart: null, width: 0,
    };
    shown.push(each);
    draw(each, false);
  }
  let waiting = 0;
  addEventListener("resize", () => {
    cancelAnimationFrame(waiting);
    waiting = requestAnimationFrame(() => {
      if (!root.classList.contains("paper")) shown.filter((each) => each.width !== each.box.clientWidth).forEach((each) => draw(each, false));
    });
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawAll(false));
  addEventListener("beforeprint", () => drawAll(true));
  addEventListener("afterprint", () => drawAll(false));
})();
