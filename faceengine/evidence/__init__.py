"""Recordings of somebody who agrees: does a face speak in it, and is it a recording that is known already?"""
