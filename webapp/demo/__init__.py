"""The demo: a project of two synthetic people that goes its whole way by itself, for whoever tries the studio out."""
