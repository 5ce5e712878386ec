"""Which work travels together to a worker, and which of it can go now."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from ..planner.plan import Item


class Tasks:
    """Which work travels together, and which of it can go now.

    Chains travel together, so that a value need not wait for another worker; light work
    goes wherever its inputs are made. What has several heavy consumers is a task of its
    own, so that they can be carried out side by side.
    """

    def __init__(self, items: Sequence[Item]) -> None:
        chosen = {item.id: item for item in items}
        heavy_consumers: dict[int, int] = defaultdict(int)
        needs = {item.id: item.needs() & chosen.keys() for item in items}
        for item in items:
            if not item.stage.light:
                for need in needs[item.id]:
                    heavy_consumers[need] += 1
        self._task_of: dict[int, int] = {}
        self._members: dict[int, list[Item]] = defaultdict(list)
        for item in items:
            tasks = {self._task_of[need] for need in needs[item.id]}
            alone = item.stage.light or all(heavy_consumers[n] == 1 for n in needs[item.id])
            task = tasks.pop() if len(tasks) == 1 and alone else len(self._members)
            self._task_of[item.id] = task
            self._members[task].append(item)
        self._waits: dict[int, set[int]] = {}
        for task, members in self._members.items():
            inside = {item.id for item in members}
            self._waits[task] = set().union(*(needs[item.id] for item in members)) - inside
        self._blocks: dict[int, list[int]] = defaultdict(list)
        for task, waits in self._waits.items():
            for need in waits:
                self._blocks[need].append(task)
        self._fresh = [task for task, waits in self._waits.items() if not waits]
        self.open = set(self._members)

    def items(self, task: int) -> list[Item]:
        """Return the work of `task`, in order."""
        return self._members[task]

    def settle(self, work: int) -> None:
        """Note that a piece of work is settled: what waited for it alone can go."""
        for task in self._blocks.pop(work, ()):
            self._waits[task].discard(work)
            if not self._waits[task]:
                self._fresh.append(task)

    def ready(self) -> list[int]:
        """Return the tasks that can go since the last call."""
        fresh, self._fresh = self._fresh, []
        return fresh

    def close(self, task: int) -> None:
        """Note that a task came to its end."""
        self.open.discard(task)
