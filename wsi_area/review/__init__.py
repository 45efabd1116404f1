"""review: what people decide on a run: events in chains, the verdicts that they make, and the tables of these.

Whoever writes has one file, in which each event names the one before it and the heads of all other files. So two
machines over one folder or bucket need no lock and lose nothing. `review.decide` is the door for whoever decides,
`review.verdicts` for whoever reads.
"""
