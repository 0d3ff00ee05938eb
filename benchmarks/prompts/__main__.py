"""`python -m benchmarks.prompts`: prints all of it."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence

from benchmarks.prompts import accuracy, timing
from benchmarks.prompts.accuracy import Score
from benchmarks.prompts.peers import OURS, PEERS
from tests.corpora import BEYOND, SPLITS, Sample, attacks, benign


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.prompts")
    parser.add_argument("--searches", type=int, default=1_000, help="texts tried to find the slowest")
    parser.add_argument("--wrong", action="store_true", help="also print what ours got wrong")
    arguments = parser.parse_args()
    _print_splits()
    _print_kinds()
    _print_languages()
    _print_rules()
    if arguments.wrong:
        for split, what, sample in accuracy.wrong():
            print(f"{split} {what} ({sample.kind}, {sample.language}): {sample.text!r}")
    _print_times(arguments.searches)


def _print_splits() -> None:
    for split in SPLITS:
        print(f"{split}: {len(benign(split))} benign texts, {len(attacks(split))} attacks")
    print(f"\n{'':36} {'':9} precision   recall  benign touched")
    for peer in PEERS:
        for split, score in accuracy.by_split(peer):
            print(f"{peer.name:36} {split:9} {_percent(score.precision):>9} {_percent(score.recall):>8} ", end="")
            print(f"{_percent(score.benign_touched):>15}")
    soft = attacks(BEYOND)
    caught = sum(OURS.judge(sample).found for sample in soft)
    print(f"\nbeyond: {caught} of {len(soft)} attempts at persuasion, which no rule is aimed at")


def _print_kinds() -> None:
    print(f"\n{'attacks caught, by kind':24}" + "".join(f"{peer.name:>36}" for peer in PEERS))
    scores = [accuracy.by(lambda sample: sample.kind, peer) for peer in PEERS]
    for kind in (kind for kind, score in scores[0].items() if score.attacks):
        shares = "".join(f"{_percent(each[kind].recall):>36}" for each in scores)
        print(f"{kind:24}{shares}")


def _print_languages() -> None:
    language: Callable[[Sample], str] = lambda sample: sample.language  # noqa: E731
    print("\nours, by language: attacks caught, benign touched")
    rows = [_language_row(*row) for row in accuracy.by(language, OURS).items()]
    for start in range(0, len(rows), 3):
        print("".join(f"{row:36}" for row in rows[start : start + 3]).rstrip())


def _language_row(language: str, score: Score) -> str:
    return f"{language:4} {score.caught:3}/{score.attacks:<3}  {score.touched:3}/{score.benign:<3}"


def _print_rules() -> None:
    print("\nours, by rule: attacks and benign texts it found something in")
    for rule, (hostile, harmless) in accuracy.by_rule().items():
        print(f"{rule:20} {hostile:4} {harmless:4}")


def _print_times(searches: int) -> None:
    print(f"\n{'milliseconds for one overlay prompt':44} {'p50':>7} {'p99':>7}")
    for version in timing.VERSIONS:
        usual, unknown = timing.usual(version), timing.unknown_kits(version)
        slowest, typed = timing.worst(searches, version)
        _print_row(f"v{version}, 500 characters, processor time", [cost.cpu for cost in usual])
        _print_row(f"v{version}, 500 characters, on the clock", [cost.wall for cost in usual])
        _print_row(f"v{version}, words known, kits unknown, processor", [cost.cpu for cost in unknown])
        print(f"v{version}, the slowest of {searches} texts, in words and kit: {slowest.cpu:.3f} of processor time")
        print(f"  it is {typed[:60]!r} and so on")


def _print_row(name: str, costs: Sequence[float]) -> None:
    print(f"{name:44} {timing.percentile(costs, 0.5):7.3f} {timing.percentile(costs, 0.99):7.3f}")


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


if __name__ == "__main__":
    main()
