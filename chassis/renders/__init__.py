"""Where bytes wait that were expensive to make and are not yet where they belong."""

from chassis.renders.files import FileRenders
from chassis.renders.object_store import ObjectStoreRenders
from chassis.renders.opening import RendersKind, open_renders
from chassis.renders.port import RenderMissing, Renders

__all__ = ["FileRenders", "ObjectStoreRenders", "RenderMissing", "Renders", "RendersKind", "open_renders"]
