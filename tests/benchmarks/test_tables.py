"""What the benchmarks print says what was measured, also where that is not flattering."""

from __future__ import annotations

from benchmarks import charts, tables
from benchmarks.contenders.floors import CONFORMED, STEPS, Floor, latency, throughput
from benchmarks.contenders.opening import CONVENTIONAL, ECHO, OURS
from benchmarks.growth import Point
from benchmarks.runner import Results, Sample
from benchmarks.workloads import GET_WAITING, IDLE


def samples(workload: str, **values: float) -> list[Sample]:
    names = {"ours": OURS, "conventional": CONVENTIONAL, "echo": ECHO}
    return [Sample(names[name], workload, value, cpu=1.0, peak=100.0) for name, value in values.items()]


def floors(each: float = 1.0) -> dict[str, Floor]:
    return {step: Floor(alone=each, rate=1000 / each) for step in {**STEPS, **CONFORMED}}


def test_a_goal_is_missed_where_more_is_wanted_and_where_less_is() -> None:
    assert tables.verdict(3.9, 4, less=False) == "≥4 MISSED"
    assert tables.verdict(0.06, 0.05, less=True) == "≤0.05 MISSED"
    assert tables.verdict(4.0, 4, less=False) == "≥4 met"
    assert tables.verdict(None, 4, less=False) == ""


def test_ratios_are_those_of_medians() -> None:
    results = Results()
    for ours, conventional in ((300, 100), (100, 90), (400, 110)):
        results.samples += samples(GET_WAITING.name, ours=ours, conventional=conventional, echo=600)

    [row] = tables.rows(results)

    assert (row.to_conventional, row.to_limit) == (3.0, 0.5)
    assert row.verdicts == "≥4 MISSED ≥0.7 MISSED"
    assert "300 (100–400)" in tables.text(results)


def test_the_limit_of_a_job_is_the_sum_of_its_steps() -> None:
    results = Results(samples(IDLE.name, ours=30, conventional=900), [floors()])

    [row] = tables.rows(results)

    assert row.limit == sum(STEPS.values()) == latency(floors(), STEPS)
    assert round(throughput(floors(), STEPS), 6) == round(1000 / sum(STEPS.values()), 6)
    assert row.verdicts == "≤0.05 met ≤3 met"


def test_charts_show_every_figure() -> None:
    results = Results(samples(GET_WAITING.name, ours=300, conventional=100, echo=600))
    points = [Point("jobs in the database", size, OURS, "list", 1000 / size, "/s") for size in (10, 100)]

    assert "3.0" in charts.ratios(tables.rows(results))
    assert charts.growth(points).count("<circle") == 2
