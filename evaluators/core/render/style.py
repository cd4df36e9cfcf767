"""The style sheet of the HTML report, shared with the dashboard. Its hash stands in the content security policy.

Two hues carry meaning, vermilion for worse and blue for better (Okabe & Ito 2008, safe for colour-blind readers),
and each comes with a shape or a word; everything else is ink on paper.
"""

from __future__ import annotations

import base64
import hashlib

CSS = """
:root { color-scheme: light dark;
  --paper: #ffffff; --wash: #f6f6f4; --ink: #1c1d21; --soft: #61646c; --line: #e3e3df;
  --worse: #b94a00; --better: #00649c; --even: #7b7e87; --noise: #dcdcd6; --mark: #1c1d21; }
@media (prefers-color-scheme: dark) { :root {
  --paper: #16171a; --wash: #1e2024; --ink: #ececee; --soft: #a2a5ad; --line: #303238;
  --worse: #ff9a5c; --better: #6cbcf5; --even: #8d9099; --noise: #3a3d44; --mark: #ececee; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.55 system-ui, -apple-system,
  "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", "DejaVu Sans", sans-serif; -webkit-text-size-adjust: 100%; }
main, .top { max-width: 66rem; margin: 0 auto; padding: 0 1.5rem; }
.top { padding-top: 2.5rem; }
main { padding-bottom: 5rem; }
.mark { color: var(--soft); font-size: .8125rem; letter-spacing: .08em; text-transform: uppercase; margin: 0; }
h1 { font-size: 2rem; line-height: 1.2; font-weight: 650; letter-spacing: -.015em; margin: .35rem 0 .5rem;
  text-wrap: balance; }
h2 { font-size: 1.5rem; line-height: 1.25; font-weight: 650; letter-spacing: -.01em; margin: 0; }
h3 { font-size: 1.0625rem; font-weight: 650; margin: 3.25rem 0 .15rem; }
p { margin: .5rem 0; max-width: 44rem; }
.soft, .lead { color: var(--soft); }
.lead { margin: 0 0 1rem; }
.num, td, dd, .axis text { font-variant-numeric: tabular-nums; }
a { color: var(--better); text-underline-offset: .2em; }
bdi, code { overflow-wrap: anywhere; }
code { font: .8125em/1.5 ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
nav { display: flex; flex-wrap: wrap; gap: .5rem 1.5rem; margin-top: 1.25rem; }
nav a { display: inline-flex; gap: .5rem; align-items: center; } nav form { margin: 0; }
.candidate { margin-top: 2.5rem; }
.card { background: var(--wash); border-radius: 14px; padding: 1.75rem 2rem 1.5rem; }
.card header { display: flex; gap: 1.1rem; align-items: center; }
.card header p { margin: .1rem 0 0; color: var(--soft); }
.icon { flex: none; fill: none; stroke: currentColor; stroke-width: 2.6; stroke-linecap: round;
  stroke-linejoin: round; color: var(--even); }
.icon.pass { color: var(--better); } .icon.fail { color: var(--worse); }
.says { list-style: none; padding: 0; margin: 1.25rem 0 0; }
.says li { display: grid; grid-template-columns: 1.5rem 1fr; margin: .4rem 0; max-width: 52rem; }
.glyph { font-size: .75rem; line-height: 1.55rem; }
.worse { color: var(--worse); } .better { color: var(--better); } .even { color: var(--even); }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); gap: 1rem 1.5rem;
  margin: 1.5rem 0 0; padding-top: 1.25rem; border-top: 1px solid var(--line); }
.facts dt { color: var(--soft); font-size: .8125rem; }
.facts dd { margin: 0; font-size: 1.25rem; font-weight: 600; letter-spacing: -.01em; }
.facts small { display: block; font-size: .8125rem; font-weight: 400; color: var(--soft); letter-spacing: 0; }
.rows { margin-top: .75rem; }
.line { display: grid; grid-template-columns: minmax(0, 15rem) minmax(0, 1fr) minmax(0, 13.5rem); gap: 0 1.5rem;
  align-items: center; padding: .55rem 0; border-top: 1px solid var(--line); }
.line.scale { border-top: 0; padding: 0; }
.line > .num { text-align: right; }
.line > .reason { grid-column: 1 / -1; margin: .1rem 0 0; font-size: .9375rem; max-width: none; }
.line.head { border-top: 0; padding: 0 0 .3rem; align-items: end; }
.line.head > :last-child { text-align: right; }
.line.head, .line small, th small, td small { color: var(--soft); font-size: .8125rem; }
.line small, th small { display: block; line-height: 1.4; font-weight: 400; }
.name { font-weight: 550; }
.group { margin: 0; padding: 1.35rem 0 .4rem; max-width: none; font-size: .8125rem; color: var(--soft); }
.group strong { color: var(--ink); font-weight: 650; margin-right: .35rem; }
.head + .group { padding-top: .5rem; }
svg { display: block; overflow: visible; }
.zero { stroke: var(--line); stroke-width: 1.5; } .tick { stroke: var(--line); }
.axis text { fill: var(--soft); font-size: .75rem; }
.noise { fill: var(--noise); } .floor { stroke: var(--even); stroke-width: 2; }
.watched { stroke: var(--even); stroke-width: 1; }
.span { stroke-width: 5; stroke-linecap: round; stroke: var(--even); opacity: .55; }
.span.worse { stroke: var(--worse); } .span.better, .span.candidate { stroke: var(--better); }
.dot { fill: var(--even); stroke: var(--paper); stroke-width: 1.5; }
.dot.worse { fill: var(--worse); } .dot.better, .dot.candidate { fill: var(--better); }
.bar { stroke: var(--even); stroke-width: 2.5; } .bar.candidate { stroke: var(--better); }
.limit { stroke: var(--mark); stroke-width: 1.5; stroke-dasharray: 3 3; }
.fill { fill: var(--even); } .fill.kept { fill: var(--better); } .fill.lost { fill: var(--noise); }
.fill.trouble { fill: var(--worse); } .empty { stroke: var(--line); stroke-width: 2; }
table { border-collapse: collapse; margin: .75rem 0; font-size: .9375rem; }
th { text-align: left; font-weight: 500; color: var(--soft); font-size: .8125rem; }
th, td { padding: .45rem 1.5rem .45rem 0; border-top: 1px solid var(--line); vertical-align: baseline; }
td { text-align: right; } thead th { border-top: 0; } thead th + th { text-align: right; }
tbody th { color: var(--ink); font-size: .9375rem; }
.wide { overflow-x: auto; }
.places { table-layout: fixed; width: 100%; min-width: 43rem; } .places td { white-space: nowrap; }
.places th:first-child { width: 30%; } .places th:nth-child(5) { width: 19%; } .places th:last-child { width: 21%; }
.places tbody th { padding-left: 1.1rem; } .places td:last-child, .places th:last-child { padding-right: 0; }
.found { table-layout: fixed; width: 100%; min-width: 30rem; } .found th:first-child { width: 46%; }
.found td:last-child, .found th:last-child { padding-right: 0; }
.beyond { float: left; margin-left: -1.1rem; font-size: .6875rem; line-height: 1.4rem; color: var(--worse); }
.heat td { text-align: center; padding: .3rem .3rem; min-width: 5.5rem; } .heat thead th + th { text-align: center; }
.heat td span { display: block; border-radius: 6px; padding: .25rem .4rem; }
.heat th { padding-right: 1rem; } .heat tbody th { min-width: 11rem; } .heat .few { color: var(--even); }
.w1 { background: color-mix(in srgb, var(--worse) 12%, transparent); }
.w2 { background: color-mix(in srgb, var(--worse) 26%, transparent); }
.w3 { background: color-mix(in srgb, var(--worse) 44%, transparent); }
.b1 { background: color-mix(in srgb, var(--better) 12%, transparent); }
.b2 { background: color-mix(in srgb, var(--better) 26%, transparent); }
.b3 { background: color-mix(in srgb, var(--better) 44%, transparent); }
.flag { outline: 2px solid var(--worse); font-weight: 650; }
.two { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(26rem, 100%), 1fr)); gap: 0 3.5rem; }
details { margin-top: .75rem; } summary { cursor: pointer; color: var(--soft); font-size: .9375rem; }
.help { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(19rem, 100%), 1fr)); gap: .25rem 3rem; }
.help dt { font-weight: 600; margin-top: .75rem; } .help dd { margin: .1rem 0 0; color: var(--soft); }
.notice { border-left: 3px solid var(--worse); padding: .1rem 0 .1rem 1rem; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; background: var(--wash); border-radius: 10px;
  padding: 1rem 1.1rem; margin: .5rem 0;
  font: .875rem/1.6 ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
del { color: var(--worse); } ins { color: var(--better); text-decoration-thickness: 2px; }
.pairs td, .pairs thead th + th { text-align: left; } form { margin: .75rem 0; }
.pairs small { display: block; } .pairs th { white-space: nowrap; }
input, select, button { font: inherit; color: inherit; background: var(--paper); border: 1px solid var(--even);
  border-radius: 7px; padding: .25rem .6rem; }
button { cursor: pointer; } label { display: inline-block; margin: .2rem 0; }
@media (max-width: 44rem) {
  .top { padding-top: 1.5rem; } main, .top { padding-left: 1.1rem; padding-right: 1.1rem; }
  h1 { font-size: 1.5rem; } .card { padding: 1.25rem 1.1rem; margin: 0 -.35rem; }
  .line { grid-template-columns: minmax(0, 1fr) auto; gap: .1rem 1rem; }
  .line > :nth-child(2) { grid-row: 2; grid-column: 1 / -1; }
  .line.head { display: none; } th, td { padding-right: .9rem; }
  .two { gap: 0; } }
@media print { .card { border: 1px solid var(--line); } h3 { break-after: avoid; } .line { break-inside: avoid; } }
"""

CSS_HASH = "sha256-" + base64.b64encode(hashlib.sha256(CSS.encode()).digest()).decode()
"""For `style-src`: this sheet and no other may apply."""
