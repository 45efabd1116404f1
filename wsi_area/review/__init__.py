"""review: what people decide on a run: events in chains, the verdicts that they make, and the tables of these.

Whoever writes has one file. Each event in it names the one before it and the heads of the other files; a head that one
of these names already need not be named again. So two machines over one folder or bucket need no lock and lose nothing.
`review.decide` is the door for whoever decides, `review.verdicts` for whoever reads.
"""
