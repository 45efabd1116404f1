"""finished: how a slide ended, and one that need not be looked at again: what it rests on, whether all is as it was."""
