"""The workbook: the tables of the answer for a spreadsheet, numbers as numbers."""

from __future__ import annotations

import io
import math
from collections.abc import Iterable
from dataclasses import asdict

import pandas as pd
from openpyxl import Workbook
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from omnisim.language import Language, message
from omnisim.measures import OUTCOMES, Unit
from omnisim.report.charts import harmless
from omnisim.report.front import front
from omnisim.report.results import Results

TABLES = {
    "price_of_silos": message("Price of silos"),
    "first_moves": message("First moves"),
    "break_even": message("Break-even"),
    "departments": message("Departments"),
    "claimed": message("Claimed and caused"),
    "curves": message("Response curves"),
}
FORMATS: dict[Unit, str] = {
    "eur": "#,##0",
    "count": "#,##0",
    "eur_each": "#,##0.00",
    "share": "0.0%",
    "number": "#,##0.000",
}
WIDEST = 60
LONGEST = 31  # letters that the title of a sheet can have


def written(results: Results, words: Language) -> bytes:
    """Return the workbook as it stands in the results folder."""
    book = Workbook()
    first = book.active
    assert isinstance(first, Worksheet)
    first.title = words.say("Answer")
    _answer(first, results, words)
    _comparison(book.create_sheet(words.say("Comparison")), results, words)
    tables = {
        message("Next order"): pd.DataFrame(asdict(euro) for euro in results.last_euros),
        message("Distance from the best"): pd.DataFrame(asdict(gap) for gap in results.gaps),
    } | {title: results.table(name) for name, title in TABLES.items()}
    for title, frame in tables.items():
        if len(frame):
            _table(book.create_sheet(words.say(title)[:LONGEST]), frame)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def _answer(sheet: Worksheet, results: Results, words: Language) -> None:
    page = front(results, words)
    rows = [(words.say("Question"), words.say(str(results.plan["question"])))]
    rows += [(words.say("Verdict"), sentence) for sentence in page.verdict]
    rows += [(fact.label, f"{fact.value} ({fact.note.rstrip('.')})") for fact in page.facts]
    rows += [(words.say("Who loses"), page.losers)] if page.losers else []
    rows += [(words.say("Break-even"), sentence) for sentence in page.break_even]
    rows.append((words.say("Once more"), str(results.provenance.get("command", ""))))
    for row in rows:
        _append(sheet, row)
    sheet.column_dimensions["A"].width = 24
    sheet.column_dimensions["B"].width = 100
    for (cell,) in sheet["B1" : f"B{len(rows)}"]:
        cell.alignment = Alignment(wrap_text=True, vertical="top")


def _comparison(sheet: Worksheet, results: Results, words: Language) -> None:
    """Write a row per outcome and arm: level, difference to the baseline, interval, verdict."""
    heads = [words.say("Outcome"), words.say("Unit"), words.say("Arm")]
    for head in (words.say("Level"), words.say("Difference")):
        heads += [head, words.say("from"), words.say("to")]
    _append(sheet, [*heads, words.say("Verdict")])
    rows = {(row.outcome, row.arm): row for row in results.comparison.rows}
    for level in results.comparison.levels:
        outcome, row = OUTCOMES[level.outcome], rows.get((level.outcome, level.arm))
        found = (row.difference, row.ci_low, row.ci_high) if row else (None, None, None)
        cells: list[object] = [words.say(outcome.label), _unit(outcome.unit), level.arm]
        cells += [level.mean, level.ci_low, level.ci_high, *found]
        _append(sheet, [*cells, words.say(row.verdict) if row and row.verdict else None])
        for cell in sheet[sheet.max_row][3:9]:
            cell.number_format = FORMATS[outcome.unit]
    _look(sheet)


def _unit(unit: Unit) -> str:
    return {"eur": "EUR", "eur_each": "EUR", "share": "%"}.get(unit, "")


def _table(sheet: Worksheet, frame: pd.DataFrame) -> None:
    _append(sheet, list(frame.columns))
    for row in frame.itertuples(index=False):
        _append(sheet, row)
        for cell in sheet[sheet.max_row]:
            if isinstance(cell.value, float):
                cell.number_format = "#,##0.00"
    _look(sheet)


def _append(sheet: Worksheet, row: Iterable[object]) -> None:
    """Append a row; what a spreadsheet cannot hold is left empty, and no text is a formula."""
    sheet.append([_held(cell) for cell in row])


def _held(cell: object) -> object:
    if isinstance(cell, float) and not math.isfinite(cell):
        return None
    if isinstance(cell, str):
        return harmless("".join(letter for letter in cell if letter >= " " or letter in "\n"))
    return cell.item() if hasattr(cell, "item") else cell


def _look(sheet: Worksheet) -> None:
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    sheet.freeze_panes = "A2"
    for nth, column in enumerate(sheet.columns, 1):
        longest = max(len(str(cell.value or "")) for cell in column)
        sheet.column_dimensions[get_column_letter(nth)].width = min(longest + 2, WIDEST)
