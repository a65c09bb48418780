"""Who may do what in the console: roles, each of which may all that the ones before it may."""

from enum import StrEnum


class Role(StrEnum):
    VIEWER = "viewer"  # sees
    OPERATOR = "operator"  # sends, blocks, reviews
    ADMIN = "admin"  # lifts, sets policies, carriers and webhooks
    OWNER = "owner"  # says who else may

    def may(self, needed: "Role") -> bool:
        """Whether this role includes `needed`."""
        ranks = list(Role)
        return ranks.index(self) >= ranks.index(needed)
