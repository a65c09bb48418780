"""The team and its sessions, and the audit log of what they did. Passwords and tokens arrive hashed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, func, insert, select, update

from stopwire.ports.store import AuditRow, Cut, Session, User
from stopwire.storage import tables
from stopwire.storage.cuts import cut_of
from stopwire.storage.hot import Adding, Noun
from stopwire.storage.rows import AUDIT, SESSION, USER

_U = tables.users.c
_S = tables.sessions.c
_A = tables.audit.c

_add_audit = Adding(AUDIT)


class SqlPeople(Noun):
    """`find_session`, `find_user` and `forget_sessions` look across accounts: they serve the door."""

    def find_session(self, digest: str) -> Session | None:
        row = self._row(SESSION.select().where(_S.digest == digest))
        return SESSION.value(row) if row else None

    def find_user(self, name: str) -> User | None:
        row = self._row(USER.select().where(_U.folded_name == name.casefold()))
        return USER.value(row) if row else None

    def users(self) -> list[User]:
        """The oldest first."""
        return USER.each(self._rows(USER.select().where(_U.account == self.account).order_by(_U.created_at, _U.sid)))

    def user(self, sid: str) -> User | None:
        row = self._row(USER.select().where(_U.sid == sid, _U.account == self.account))
        return USER.value(row) if row else None

    def add_user(self, user: User) -> None:
        self._check_own([user])
        self._change(insert(tables.users).values(**USER.row(user), folded_name=user.name.casefold()))

    def save_user(self, user: User) -> None:
        row = {**USER.row(user), "folded_name": user.name.casefold()}
        self._change(update(tables.users).where(_U.sid == user.sid, _U.account == self.account).values(row))

    def delete_user(self, sid: str) -> bool:
        """Whether there was such a person. Their sessions end with them."""
        found = self._change(delete(tables.users).where(_U.sid == sid, _U.account == self.account)) > 0
        if found:
            self.end_sessions_of(sid)
        return found

    def sessions(self, now: datetime) -> list[Session]:
        mine = _S.account == self.account, _S.kind == "session", _S.expires_at > now
        return SESSION.each(self._rows(SESSION.select().where(*mine).order_by(_S.seen_at.desc(), _S.id)))

    def add_session(self, session: Session) -> None:
        self._check_own([session])
        self._change(insert(tables.sessions).values(SESSION.row(session)))

    def save_session(self, session: Session) -> None:
        mine = _S.digest == session.digest, _S.account == self.account
        self._change(update(tables.sessions).where(*mine).values(SESSION.row(session)))

    def end_session(self, id: str) -> bool:
        return self._change(delete(tables.sessions).where(_S.id == id, _S.account == self.account)) > 0

    def end_sessions_of(self, user: str, but: str | None = None) -> int:
        """End all of a person's sessions, except the one with the id `but`."""
        mine = _S.user == user, _S.account == self.account, _S.id != (but or "")
        return self._change(delete(tables.sessions).where(*mine))

    def forget_sessions(self, before: datetime, limit: int) -> int:
        old = select(_S.digest).where(_S.expires_at < before).limit(limit)
        return self._change(delete(tables.sessions).where(_S.digest.in_(old)))


class SqlAudit(Noun):
    """`tries` looks across accounts: a stranger has none."""

    def add(self, rows: Sequence[AuditRow]) -> None:
        self._check_own(rows)
        _add_audit.many(self.unit, rows)

    def page(self, cut: Cut, act: str | None = None) -> list[AuditRow]:
        """The newest first; a cut names a row by its id. `act` may be a beginning, such as `user`."""
        query = AUDIT.select().where(_A.account == self.account)
        if act:
            query = query.where(_A.act.startswith(act, autoescape=True))
        marks = select(_A.seq).where(_A.account == self.account)
        return AUDIT.each(cut_of(self.unit, query, cut, order=(_A.seq,), marks=marks, id=_A.id))

    def tries(self, act: str, since: datetime, *, subject: str | None = None, address: str | None = None) -> int:
        """How often `act` was noted since then, of one subject or from one address."""
        query = select(func.count()).where(_A.act == act, _A.at >= since)
        if subject is not None:
            query = query.where(_A.subject == subject)
        if address is not None:
            query = query.where(_A.address == address)
        return int(self._scalar(query))
