"""A sentence with values in it, made in English and kept in its parts, so that a page can say it in any language."""

from collections.abc import Mapping


class Said(str):
    """The English sentence; ``template`` is what translators see, with ``%(name)s`` where a value stands."""

    template: str
    values: Mapping[str, object]


def said(template: str, **values: object) -> Said:
    """The template with its values: pure, so rules may refuse with it. Pages show it through ``i18n.told``."""
    sentence = Said(template % values)
    sentence.template, sentence.values = template, values
    return sentence
