"""How the page looks. Its hash is in the page's Content-Security-Policy, so that no other style applies."""

from __future__ import annotations

_RATIOS = ("1:1", "2:3", "3:2", "3:4", "4:3", "9:16", "16:9")
_ROW_PX = 210
_MOST_GROWTH = 1.4


def _ratio_rules() -> str:
    """Rows of equal height, whatever ratios stand in them: each figure grows with its own width."""
    rules = []
    for ratio in _RATIOS:
        width, height = map(int, ratio.split(":"))
        wide, widest = width / height * _ROW_PX, width / height * _ROW_PX * _MOST_GROWTH
        rules.append(
            f".r{width}-{height} {{ flex: {width / height:.4f} 1 {wide:.0f}px; max-width: {widest:.0f}px }}\n"
            f".r{width}-{height} img {{ aspect-ratio: {width} / {height} }}\n"
        )
    return "".join(rules)


CSS = """
:root { --paper: #fbf8f2; --card: #fff; --ink: #2a2833; --soft: #6a6675; --line: #e7dfd2; --accent: #b4472e }
* { box-sizing: border-box }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif }
header, main, footer { max-width: 1080px; margin: 0 auto; padding: 0 24px }
header { padding-top: 48px }
h1, h2 { font-family: Georgia, "Noto Serif", "DejaVu Serif", serif; font-weight: 600; line-height: 1.2 }
h1 { font-size: 38px; margin: 0 0 8px }
h2 { font-size: 21px; margin: 0 0 14px }
header p { max-width: 62ch; margin: 0; color: var(--soft); font-size: 18px }
section { margin: 40px 0 }
.figures { display: flex; flex-wrap: wrap; gap: 8px 48px; margin: 30px 0; padding: 18px 0;
  border-top: 1px solid var(--line); border-bottom: 1px solid var(--line) }
.figures dt { color: var(--soft); font-size: 14px }
.figures dd { margin: 0; font: 600 28px/1.2 Georgia, "Noto Serif", "DejaVu Serif", serif;
  font-variant-numeric: tabular-nums }
code, pre { font: 13.5px/1.6 ui-monospace, "SF Mono", Menlo, "DejaVu Sans Mono", monospace }
code { background: #f2ebdf; border-radius: 4px; padding: 2px 5px; overflow-wrap: anywhere }
pre { margin: 8px 0 16px; padding: 12px 16px; background: var(--card); border: 1px solid var(--line);
  border-radius: 6px; white-space: pre-wrap; overflow-wrap: anywhere;
  user-select: all }
.connect p { margin: 0 }
.gallery { display: flex; flex-wrap: wrap; gap: 20px 16px }
figure { margin: 0; min-width: 0 }
figure img { display: block; width: 100%; background: #efe7da; border-radius: 8px;
  box-shadow: 0 1px 2px rgb(60 45 30 / .12), 0 6px 18px rgb(60 45 30 / .10) }
figcaption { margin-top: 8px; color: var(--soft); font-size: 14px; line-height: 1.4; overflow-wrap: anywhere;
  display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 3; overflow: hidden }
a { color: var(--accent) }
a:focus-visible { outline: 3px solid var(--accent); outline-offset: 3px; border-radius: 8px }
table { width: 100%; border-collapse: collapse; font-size: 14.5px }
th { text-align: left; font-weight: 500; color: var(--soft) }
th, td { padding: 8px 14px 8px 0; border-bottom: 1px solid var(--line); vertical-align: top; overflow-wrap: anywhere }
td:first-child { white-space: nowrap; font-variant-numeric: tabular-nums; color: var(--soft) }
td:nth-child(2) { width: 46% }
td span { padding: 2px 9px; border-radius: 99px; background: #efe9df; white-space: nowrap; font-size: 13px }
.delivered { background: #dfeedd; color: #23562a }
.faulted, .dropped, .lost { background: #f9ddd5; color: #8a2b16 }
.refused { background: #f7ecc9; color: #6a4d06 }
.twins { display: grid; grid-template-columns: 1fr 1fr; gap: 0 48px }
.twins ul { margin: 0; padding-left: 18px }
.twins li { margin-bottom: 10px }
.empty { color: var(--soft) }
footer { padding-top: 20px; padding-bottom: 48px; border-top: 1px solid var(--line); font-size: 14.5px;
  color: var(--soft); display: flex; flex-wrap: wrap; gap: 6px 22px }
@media (max-width: 720px) { .twins { grid-template-columns: 1fr; gap: 40px } h1 { font-size: 31px }
  header { padding-top: 32px } thead { display: none } td, td:nth-child(2) { width: auto; padding: 0; border: 0 }
  tr { display: grid; grid-template-columns: auto 1fr; gap: 4px 14px; padding: 12px 0;
    border-bottom: 1px solid var(--line) }
  td:nth-child(2), td:nth-child(4) { grid-column: 1 / -1 } td:nth-child(2) { grid-row: 2 } }
""" + _ratio_rules()
