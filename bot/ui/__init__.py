"""Everything that knows Discord's components: cards, custom ids, items, modals, pictures and error replies."""
