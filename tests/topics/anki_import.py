"""Imports decks with Anki's own library, and prints what is in the collection afterwards as JSON.

This runs on the Python that has the library, without anything of the bot:
python anki_import.py FOLDER DECK...
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from anki.collection import (  # type: ignore[import-not-found]
    Collection,
    ImportAnkiPackageOptions,
    ImportAnkiPackageRequest,
)


def imported(collection: Any, file: str) -> dict[str, Any]:
    """Import a deck; return how many notes were new, updated and as they were, and the fields."""
    options = ImportAnkiPackageOptions(merge_notetypes=True)
    request = ImportAnkiPackageRequest(package_path=file, options=options)
    log = collection.import_anki_package(request).log
    notes = [collection.get_note(note_id) for note_id in collection.find_notes("")]
    media = collection.media.check()
    return {
        "new": len(log.new),
        "updated": len(log.updated),
        "same": len(log.duplicate),
        "conflicting": len(log.conflicting),
        "cards": collection.card_count(),
        "decks": [deck.name for deck in collection.decks.all_names_and_ids()],
        "kinds": len(collection.models.all_names_and_ids()),
        "notes": {note.guid: dict(note.items()) for note in notes},
        "tags": {note.guid: note.tags for note in notes},
        "questions": {note.guid: note.cards()[0].question() for note in notes},
        "answers": {note.guid: note.cards()[0].answer() for note in notes},
        "pictures": sorted(path.name for path in Path(collection.media.dir()).iterdir()),
        "missing": list(media.missing),
        "unused": list(media.unused),
    }


def main(folder: str, *decks: str) -> None:
    collection = Collection(str(Path(folder) / "collection.anki2"))
    found = [imported(collection, file) for file in decks]
    collection.close()
    print(json.dumps(found))


main(*sys.argv[1:])
