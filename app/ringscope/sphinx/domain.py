"""The Sphinx domain ``ringscope``: which page describes which QOM type, which pages hold something that Ringscope made."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple, cast

from docutils import nodes
from sphinx import addnodes
from sphinx.domains import Domain, ObjType
from sphinx.util import logging
from sphinx.util.nodes import make_refnode

from ringscope.figures.cache_key import program_digest
from ringscope.sphinx.qom_role import QomRole
from ringscope_core.query.suggest import suggestion

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.builders import Builder
    from sphinx.environment import BuildEnvironment

    from ringscope.sphinx.workshop import Workshop

_LOGGER = logging.getLogger(__name__)
RANKS: Final = {"list": 0, "table": 1, "figure": 2}
"""Where several places describe a type, a reference leads to the one of the lowest rank, then to the first page by name."""


class TypePlace(NamedTuple):
    """Where a type is described."""

    rank: int
    page: str
    node_id: str


class RingscopeDomain(Domain):
    """QOM types as objects that pages, and by intersphinx other projects, refer to with ``:qom:``."""

    name = "ringscope"
    label = "Ringscope"
    object_types: ClassVar[dict[str, ObjType]] = {"type": ObjType("QOM type", "type", "qom")}
    roles: ClassVar[dict[str, Any]] = {"type": QomRole(), "qom": QomRole()}
    initial_data: ClassVar[dict[str, Any]] = {"types": {}, "pages": {}}
    data_version = 1

    workshop: Workshop | None = None
    """What draws and keeps; there is one while Sphinx builds."""
    builder: Builder | None = None

    @property
    def types(self) -> dict[str, list[TypePlace]]:
        """Places by type."""
        return cast("dict[str, list[TypePlace]]", self.data["types"])

    @property
    def pages(self) -> dict[str, str]:
        """Pages with something of ours, and the program that made it (`program_digest`)."""
        return cast("dict[str, str]", self.data["pages"])

    def note_page(self, page: str) -> None:
        """`page` holds something that this program makes."""
        self.pages[page] = program_digest()

    def note_type(self, name: str, form: str, node_id: str) -> None:
        """The page being read describes the type `name` at `node_id`, in a list, table or figure."""
        self.types.setdefault(name, []).append(TypePlace(RANKS[form], self.env.docname, node_id))

    def place(self, name: str) -> TypePlace | None:
        """Where references to the type `name` lead."""
        return min(self.types.get(name, ()), default=None)

    # -- Sphinx's interface -------------------------------------------------------------------------------------------
    def clear_doc(self, docname: str) -> None:
        """Forget what a page held; it is read again or gone."""
        self.pages.pop(docname, None)
        for name, places in list(self.types.items()):
            kept = [place for place in places if place.page != docname]
            if kept:
                self.types[name] = kept
            else:
                del self.types[name]

    def merge_domaindata(self, docnames: AbstractSet[str], otherdata: dict[str, Any]) -> None:
        """Take over what another process read."""
        for page, program in otherdata["pages"].items():
            if page in docnames:
                self.pages[page] = program
        for name, places in otherdata["types"].items():
            self.types.setdefault(name, []).extend(TypePlace(*place) for place in places if place[1] in docnames)
            if not self.types[name]:
                del self.types[name]

    def resolve_xref(
        self, env: BuildEnvironment, fromdocname: str, builder: Builder, typ: str, target: str, node: addnodes.pending_xref, contnode: nodes.Element
    ) -> nodes.reference | None:
        """A link to the type's place; None when no page describes it."""
        place = self.place(target)
        return None if place is None else make_refnode(builder, fromdocname, place.page, place.node_id, contnode, target)

    def resolve_any_xref(
        self, env: BuildEnvironment, fromdocname: str, builder: Builder, target: str, node: addnodes.pending_xref, contnode: nodes.Element
    ) -> list[tuple[str, nodes.reference]]:
        """The same for the role ``:any:``."""
        found = self.resolve_xref(env, fromdocname, builder, "type", target, node, contnode)
        return [("ringscope:type", found)] if found is not None else []

    def get_objects(self) -> Iterable[tuple[str, str, str, str, str, int]]:
        """Every described type, for the search and for the inventory that other projects read."""
        for name in sorted(self.types):
            place = self.place(name)
            if place is not None:
                yield name, name, "type", place.page, place.node_id, 1


def domain_of(env: BuildEnvironment) -> RingscopeDomain:
    """The domain of `env`."""
    return cast("RingscopeDomain", env.get_domain("ringscope"))


def say_unknown(app: Sphinx, env: BuildEnvironment, node: addnodes.pending_xref, contnode: nodes.TextElement) -> nodes.Node | None:
    """A type that no page describes stays a literal; one that QEMU does not have, as far as Ringscope knows, is a warning."""
    if node.get("refdomain") != "ringscope":
        return None
    name = node["reftarget"]
    workshop = domain_of(env).workshop
    if workshop is not None:
        known = [str(row["name"]) for row in workshop.types()]
        if name not in known:
            meant = suggestion(name, known)
            more = f"; did you mean {meant}?" if meant else f"; `ringscope types` lists the {len(known)} of profile {workshop.settings.profile}"
            _LOGGER.warning("qom: '%s' is no QOM type that Ringscope knows%s", name, more, location=node, type="ringscope", subtype="qom")
    return contnode
