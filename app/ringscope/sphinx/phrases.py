"""The few words that directives write themselves, in the page's language."""

from __future__ import annotations

from typing import Final

_CHINESE: Final = {
    "abstract": "抽象",
    "interface": "接口",
    "implements": "实现",
    "derives from": "派生自",
    "{n} bytes": "{n} 字节",
    "{n} events": "{n} 个事件",
    "level {level}": "级别 {level}",
    "Type": "类型",
    "Parent": "父类型",
    "Structure": "结构",
    "Instance size": "实例大小",
    "Hooks": "钩子",
    "QOM type": "QOM 类型",
}


def phrase(text: str, lang: str, **values: object) -> str:
    """`text` in `lang`, with `values` put in."""
    return (_CHINESE.get(text, text) if lang == "zh" else text).format(**values)


def bytes_text(count: int) -> str:
    """A file's size as people read it."""
    size, unit = float(count), "B"
    for larger in ("kB", "MB", "GB"):
        if size < 999.5:
            break
        size, unit = size / 1000, larger
    return f"{size:.1f} {unit}" if unit != "B" and size < 99.95 else f"{size:.0f} {unit}"


def time_text(ns: int) -> str:
    """A duration of virtual time."""
    for unit, size in (("s", 10**9), ("ms", 10**6), ("µs", 10**3)):
        if ns >= size:
            return f"{ns / size:.3g} {unit}" if ns < 1000 * size else f"{ns // size} {unit}"
    return f"{ns} ns"
