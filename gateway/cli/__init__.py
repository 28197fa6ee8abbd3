"""The operator's command line, `python -m gateway`: nouns and verbs over the operations of `gateway.manage`, straight
to storage. Tables and messages are for people; with `--json`, standard output holds nothing but the result.
"""
