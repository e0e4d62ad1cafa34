"""The report of a run, claim by claim (held, broken, skipped and why): on the terminal, as JSON, as Markdown."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from .drift import Finding, Level, Tally
from .library import PROVIDERS, Claim
from .target import Kind

HELD, BROKEN, SKIPPED, UNTESTED, NOT_RUN = "held", "broken", "skipped", "untested", "not run"
_SIGNS = {HELD: "✓", BROKEN: "✗", SKIPPED: "–", UNTESTED: "✗", NOT_RUN: "–"}


@dataclass(slots=True)
class Record:
    """The tests of one claim, and the outcome of each (`passed`, `failed`, `skipped`)."""

    claim: Claim
    tests: dict[str, str] = field(default_factory=dict)
    reasons: Counter[str] = field(default_factory=Counter)
    missing: bool = False

    @property
    def outcome(self) -> str:
        outcomes = set(self.tests.values())
        if self.missing:
            return UNTESTED
        for found, outcome in (("failed", BROKEN), ("passed", HELD), ("skipped", SKIPPED)):
            if found in outcomes:
                return outcome
        return NOT_RUN

    @property
    def why(self) -> str:
        """The most frequent reason for skipping, or the tests that failed."""
        if self.outcome == BROKEN:
            failed = [test for test, outcome in self.tests.items() if outcome == "failed"]
            names = ", ".join(test.rpartition("::")[2] for test in failed[:3])
            return f"{len(failed)} of {len(self.tests)} tests: {names}"
        return self.reasons.most_common(1)[0][0] if self.reasons and self.outcome == SKIPPED else ""


@dataclass(slots=True)
class Results:
    """The results of a run."""

    records: dict[str, Record]
    targets: Mapping[str, str]
    findings: list[Finding] = field(default_factory=list)
    compared: Mapping[str, Tally] = field(default_factory=dict)
    """How many answers `--drift` has compared, by provider; empty without it."""
    spent: Mapping[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def add_tests(self, test: str, claims: Iterable[str]) -> None:
        for claim in claims:
            self.records[claim].tests.setdefault(test, "")

    def outcome(self, test: str, claims: Iterable[str], outcome: str, reason: str) -> None:
        """Add the outcome of a test's phase; a failure in any phase is the test's outcome."""
        for claim in claims:
            record = self.records[claim]
            if record.tests.get(test) != "failed":
                record.tests[test] = outcome
            if outcome == "skipped":
                record.reasons[reason] += 1

    def of(self, provider: str) -> list[Record]:
        return [record for record in self.records.values() if record.claim.provider == provider]

    def taking_part(self) -> list[str]:
        """The providers that have a target, and a test that was run or skipped or is missing."""
        return [
            provider
            for provider in PROVIDERS
            if provider in self.targets and any(record.outcome != NOT_RUN for record in self.of(provider))
        ]

    def count(self, provider: str) -> Counter[str]:
        return Counter(record.outcome for record in self.of(provider))


def new_results(claims: Iterable[Claim], targets: Mapping[str, str]) -> Results:
    """Results of a run before its first test: each claim that needs one."""
    return Results({claim.id: Record(claim) for claim in claims if claim.needs_test}, targets)


def terminal_lines(results: Results) -> list[str]:
    """A line per provider, then each claim that did not hold, and the drift that matters."""
    lines = [_summary(results, provider) for provider in results.taking_part()]
    for record in results.records.values():
        if record.outcome in (BROKEN, UNTESTED):
            lines.append(f"{record.claim.id} {record.outcome}: {record.claim.statement} ({record.why})")
    lines += [str(finding) for finding in ranked(results.findings) if finding.level is not Level.INFO]
    return lines + [f"drift: {line}" for line in drift_lines(results)] + results.notes


def drift_lines(results: Results) -> list[str]:
    """For each target, how many answers `--drift` compared and how many differ, or why none was compared."""
    lines = []
    for provider, tally in results.compared.items():
        if not tally.compared and not tally.left_out:
            own = results.targets[provider] == Kind.MOCK.value
            why = "its target is the suite's own mock" if own else "no test called it"
            lines.append(f"{provider}: nothing compared: {why}")
            continue
        claims = {claim for claim, record in results.records.items() if record.claim.provider == provider}
        found = [finding for finding in ranked(results.findings) if claims & set(finding.claims)]
        counts = Counter(finding.level.value for finding in found)
        differ = ", ".join(f"{counts[level.value]} {level.value}" for level in Level if counts[level.value])
        line = f"{provider}: {tally.compared} answers compared, {differ or 'no drift'}"
        if tally.left_out:
            reasons = "; ".join(f"{number} because {why}" for why, number in tally.left_out.most_common())
            line += f"; not compared: {reasons}"
        lines.append(line)
    return lines


def _summary(results: Results, provider: str) -> str:
    counts = results.count(provider)
    text = ", ".join(f"{counts[kind]} {kind}" for kind in (HELD, BROKEN, SKIPPED, UNTESTED, NOT_RUN) if counts[kind])
    money = f"; spent {results.spent[provider]}" if provider in results.spent else ""
    return f"{provider} ({results.targets.get(provider, 'no target')}): {text} of {counts.total()} claims{money}"


def ranked(findings: Iterable[Finding]) -> list[Finding]:
    """The most severe first; each difference once, with the claims of all tests that found it."""
    order = list(Level)
    once: dict[tuple[str, ...], Finding] = {}
    for found in findings:
        name = (found.level.value, found.call, found.where, found.mock, found.target)
        claims = (*once[name].claims, *found.claims) if name in once else found.claims
        once[name] = replace(found, claims=tuple(dict.fromkeys(claims)))
    return sorted(once.values(), key=lambda finding: (order.index(finding.level), finding.call, finding.where))


def as_json(results: Results) -> str:
    page = {
        "targets": dict(results.targets),
        "spent": dict(results.spent),
        "claims": [_claim_json(record) for record in results.records.values()],
        "compared": {
            provider: {"answers": tally.compared, "left_out": dict(tally.left_out)}
            for provider, tally in results.compared.items()
        },
        "drift": [_finding_json(finding) for finding in ranked(results.findings)],
        "notes": results.notes,
    }
    return json.dumps(page, ensure_ascii=False, indent=2) + "\n"


def _claim_json(record: Record) -> dict[str, Any]:
    claim = record.claim
    return {
        "id": claim.id,
        "provider": claim.provider,
        "status": claim.status,
        "statement": claim.statement,
        "document": claim.document,
        "section": claim.section,
        "outcome": record.outcome,
        "why": record.why,
        "tests": record.tests,
    }


def _finding_json(finding: Finding) -> dict[str, Any]:
    return {
        "level": finding.level.value,
        "call": finding.call,
        "where": finding.where,
        "mock": finding.mock,
        "target": finding.target,
        "claims": list(finding.claims),
        "test": finding.test,
    }


def as_markdown(results: Results) -> str:
    """A page for a CI job summary: the totals, what did not hold, the drift, and every claim folded away."""
    parts = [
        "# Contract tests",
        "",
        "| provider | target | held | broken | skipped | spent |",
        "|---|---|---|---|---|---|",
    ]
    parts += [_total_row(results, provider) for provider in results.taking_part()]
    broken = [record for record in results.records.values() if record.outcome in (BROKEN, UNTESTED)]
    if broken:
        parts += ["", "## What did not hold", ""]
        parts += [f"- **{r.claim.id}** {r.outcome}: {_cell(r.claim.statement)} ({_cell(r.why)})" for r in broken]
    if results.compared:
        parts += ["", "## Drift from the mock", "", *(f"- {_cell(line)}" for line in drift_lines(results))]
    if results.findings:
        parts += [
            "",
            "| level | call | where | mock | target | claims |",
            "|---|---|---|---|---|---|",
        ]
        parts += [_drift_row(finding) for finding in ranked(results.findings)]
    parts += [f"\n> {_cell(note)}" for note in results.notes]
    for provider in results.taking_part():
        parts += _folded(results, provider)
    return "\n".join(parts) + "\n"


def _total_row(results: Results, provider: str) -> str:
    counts = results.count(provider)
    skipped = counts[SKIPPED] + counts[NOT_RUN]
    cells = [provider, results.targets.get(provider, "none"), str(counts[HELD])]
    cells += [str(counts[BROKEN] + counts[UNTESTED]), str(skipped), results.spent.get(provider, "")]
    return _row(cells)


def _drift_row(finding: Finding) -> str:
    return _row(
        [
            finding.level.value,
            finding.call,
            f"`{finding.where}`",
            finding.mock,
            finding.target,
            ", ".join(finding.claims),
        ]
    )


def _folded(results: Results, provider: str) -> list[str]:
    head = f"<details><summary>{provider}: every claim</summary>"
    rows = [
        _row([_SIGNS[r.outcome], r.claim.id, r.claim.status, r.claim.statement, r.outcome, r.why])
        for r in results.of(provider)
    ]
    return [
        "",
        head,
        "",
        "| | claim | status | statement | outcome | why |",
        "|---|---|---|---|---|---|",
        *rows,
        "",
        "</details>",
    ]


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(map(_cell, cells))} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
