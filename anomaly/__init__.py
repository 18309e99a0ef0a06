"""Behavior analysis: find the client that has gone wrong, in microseconds, without crying wolf.

Events come in (`event`), are turned into features over bounded memory (`features`, `entities`), judged beside the
population and beside the client's own habit (`scorer`), gathered into episodes (`episodes`) and explained (`explain`).
Nothing here reads a request body, knows HTTP, or opens a file.
"""
