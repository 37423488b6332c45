"""Operations of a migration that are led to by one state, so that Django makes its models once and not after each."""

from collections.abc import Sequence
from typing import Any

from django.db.migrations.exceptions import IrreversibleError
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState


class Together(Operation):
    """Carries operations out one after the other, each of them from the state before the first to that after the last.

    Django makes a model of a state, and all that is related to it, anew with every change. Nearly everything here is
    related to the store, so each change of a new database costs a tenth of a second. Only for operations that would do
    the same with all of that done: a table may not be made here and altered here.
    """

    def __init__(self, operations: Sequence[Operation]) -> None:
        self.operations = operations

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """All that they change, with no models in between: those of the end are made when somebody asks for them."""
        state.__dict__.pop("apps", None)
        for operation in self.operations:
            operation.state_forwards(app_label, state)

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Each in turn."""
        for operation in self.operations:
            operation.database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Each in turn, the last first. Raises IrreversibleError before anything is taken back."""
        if not all(operation.reversible for operation in self.operations):
            message = f"This cannot be taken back: {self.describe()}"
            raise IrreversibleError(message)
        for operation in reversed(self.operations):
            operation.database_backwards(app_label, schema_editor, from_state, to_state)

    def describe(self) -> str:
        """What each of them does."""
        return "; ".join(operation.describe() for operation in self.operations)
