"""Everything of `policy/` that has been read and not refused, and what rests on what.

What belongs here is the passing on of needs, tables and parameters from measures to the rules that read them. How files are
read and refused is in `loading.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from policy.parameters import Parameter
from policy.sql_file import Measure, Need, Rule

ENGINE_TABLES = ("household", "assistance_case", "outcome_return", "source_status")
"""Tables that the engine itself reads every night."""

ENGINE_PARAMETERS = ("warning_level", "warning_window", "score_points")
"""Parameters that the engine itself reads for every warning."""


@dataclass(frozen=True)
class Policy:
    """Everything of `policy/` that has been read and not refused."""

    rules: dict[str, Rule]
    measures: dict[str, Measure]
    score: Measure
    parameters: dict[str, Parameter]

    def measures_of(self, item: Rule | Measure) -> list[Measure]:
        """Measures that a query rests on, those it needs first."""
        found: dict[str, Measure] = {}

        def visit(current: Rule | Measure) -> None:
            for touch in current.file.tables:
                measure = self.measures.get(touch.name)
                if measure is not None and measure.id not in found:
                    visit(measure)
                    found[measure.id] = measure

        visit(item)
        return list(found.values())

    def needs_of(self, rule: Rule) -> tuple[dict[str, Need], dict[str, Need]]:
        """Facts needed and facts used, by the rule and its measures.

        What the rule itself declares outranks its measures, and what a measure declares outranks those that it rests on: a measure
        that only uses a fact, because it says nothing of a kind whose source is late, does not pass on that others need it.
        """
        passed: dict[str, tuple[dict[str, Need], dict[str, Need]]] = {}

        def told(item: Rule | Measure) -> tuple[dict[str, Need], dict[str, Need]]:
            needs, uses = dict(item.header.needs), dict(item.header.uses)
            for name in dict.fromkeys(touch.name for touch in item.file.tables):
                if name not in self.measures:
                    continue
                if name not in passed:
                    passed[name] = told(self.measures[name])
                for fact, need in passed[name][0].items():
                    if fact not in needs and fact not in item.header.uses:
                        needs[fact] = need
                        uses.pop(fact, None)
                for fact, need in passed[name][1].items():
                    if fact not in needs:
                        uses.setdefault(fact, need)
            return needs, uses

        needs, uses = told(rule)
        return dict(sorted(needs.items())), dict(sorted(uses.items()))

    def reads(self, items: Iterable[Rule | Measure], *, is_scored: bool = True) -> set[str]:
        """Tables and parameters that some queries, their measures, the score (unless not) and the engine itself read."""
        wanted = [*items, *([self.score] if is_scored else [])]
        wanted += [measure for item in wanted for measure in self.measures_of(item)]
        return {
            *ENGINE_TABLES,
            *ENGINE_PARAMETERS,
            *(touch.name for item in wanted for touch in item.file.tables),
        }

    def parameters_of(self, rule: Rule) -> list[str]:
        """Parameters that the rule and its measures cannot do without."""
        names = list(rule.header.parameters)
        for measure in self.measures_of(rule):
            names += measure.header.parameters
        return sorted(set(names))
