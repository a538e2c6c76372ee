"""Parametric furniture and objects: functions of a generator and a palette that give a Model."""
