"""The order of hash tables: against GLib itself where there is one, and an order it gave."""

from __future__ import annotations

import ctypes
import ctypes.util
import random

import pytest

from ringscope_core.qom.hash_order import g_str_hash, hash_table_order, qdict_order

FOURTEEN = ["k6", "k10", "k5", "k4", "k3", "k9", "k2", "k8", "k1", "k7", "k0", "k13", "k11", "k12"]
"""GLib's order of k0 to k13: the table has grown twice."""


def names(seed: int, count: int) -> list[str]:
    """Different names, some of them so short that they meet in one place."""
    rng = random.Random(seed)
    return list(dict.fromkeys("".join(rng.choice("abcxyz-_019") for _ in range(rng.randint(1, 12))) for _ in range(count)))


def glib_order(keys: list[str]) -> list[str]:
    """What the library's own table gives."""
    found = ctypes.util.find_library("glib-2.0")
    if found is None:
        pytest.skip("no GLib here")
    glib = ctypes.CDLL(found)
    glib.g_hash_table_new.restype = ctypes.c_void_p
    glib.g_hash_table_new.argtypes = [ctypes.c_void_p] * 2
    glib.g_hash_table_insert.argtypes = [ctypes.c_void_p] * 3
    glib.g_hash_table_iter_init.argtypes = [ctypes.c_void_p] * 2
    glib.g_hash_table_iter_next.argtypes = [ctypes.c_void_p] * 3
    table = glib.g_hash_table_new(ctypes.cast(glib.g_str_hash, ctypes.c_void_p), ctypes.cast(glib.g_str_equal, ctypes.c_void_p))
    kept = [key.encode() for key in keys]
    for key in kept:
        glib.g_hash_table_insert(table, key, key)
    iterator = ctypes.create_string_buffer(64)
    glib.g_hash_table_iter_init(iterator, table)
    key_out, value_out = ctypes.c_char_p(), ctypes.c_char_p()
    order: list[str] = []
    while glib.g_hash_table_iter_next(iterator, ctypes.byref(key_out), ctypes.byref(value_out)):
        assert key_out.value is not None
        order.append(key_out.value.decode())
    return order


def test_an_order_that_glib_gave() -> None:
    assert hash_table_order([f"k{number}" for number in range(14)]) == FOURTEEN


@pytest.mark.parametrize("count", [0, 1, 6, 7, 8, 13, 14, 15, 29, 30, 31, 60, 61, 118, 250])
def test_the_order_is_glib_s(count: int) -> None:
    for seed in range(5):
        keys = names(seed, count)
        assert hash_table_order(keys) == glib_order(keys)


def test_a_key_put_in_twice_is_there_once() -> None:
    assert sorted(hash_table_order(["a", "b", "a"])) == ["a", "b"]
    assert sorted(qdict_order(["a", "b", "a"])) == ["a", "b"]


def test_marks_of_empty_places_are_no_hashes() -> None:
    assert g_str_hash("") == 5381
    assert all(g_str_hash(name) >= 2 for name in names(1, 100))


def test_options_come_by_their_hashes() -> None:
    # observed: of three bad options 7.2 tells of vectors first, of mq and vectors too
    assert qdict_order(["driver", "mq", "vectors"]) != ["driver", "mq", "vectors"]
    assert qdict_order(["mq", "vectors"])[0] == qdict_order(["vectors", "mq"])[0] == "vectors"
