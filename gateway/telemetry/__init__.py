"""What the service tells about itself, none of which holds a patient's data: log `events`, the record of `access`,
`traces` and `metrics`. Nothing is imported here, so that the lowest packages can name events without the rest.
"""
