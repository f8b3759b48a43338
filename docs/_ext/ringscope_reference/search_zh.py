"""Search in Chinese pages without a dictionary: each pair of neighbouring characters is a word, in the index and in what is searched for.

Sphinx's own way needs a library with a dictionary of some megabytes, and finds nothing without it.
"""

from __future__ import annotations

import re
from typing import Final

from sphinx.search.zh import SearchChinese

_HAN: Final = "\u3400-\u9fff"
_RUN: Final = re.compile(rf"[{_HAN}]+")

_SPLITTER: Final = """
var splitQuery = (query) => {
  const words = [];
  for (const run of query.match(/[\\u3400-\\u9fff]+/g) || []) {
    if (run.length === 1) words.push(run);
    for (let at = 0; at + 1 < run.length; at += 1) words.push(run.slice(at, at + 2));
  }
  return words.concat(query.match(/[a-zA-Z0-9_]+/g) || []);
};
"""


class SearchChinesePairs(SearchChinese):
    """Sphinx's search for Chinese, with pairs of characters for words."""

    lang = "zh"
    language_name = "Chinese"
    js_splitter_code = _SPLITTER

    def split(self, input: str) -> list[str]:  # noqa: A002  (Sphinx's name)
        """Words of Latin letters as Sphinx takes them, and pairs of Chinese characters; a character that stands alone is a word."""
        latin = [term for term in self.latin1_letters.findall(input) if term]
        self.latin_terms.update(latin)
        pairs: list[str] = []
        for run in _RUN.findall(input):
            pairs += [run] if len(run) == 1 else [run[at : at + 2] for at in range(len(run) - 1)]
        return pairs + latin

    def word_filter(self, stemmed_word: str) -> bool:
        """A single Chinese character is a word, a single letter is none."""
        return len(stemmed_word) > 1 or bool(_RUN.match(stemmed_word))
