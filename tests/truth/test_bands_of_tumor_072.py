"""Bands round the metastases of CAMELYON16 tumor_072, in the tissue of its own layer: scipy's distances on 30a4f90."""

from pathlib import Path

import pytest

from wsi_area.inputs.collect import collect_slides
from wsi_area.inputs.drawn_source import DrawnSource
from wsi_area.results.opened_run import OpenedRun, open_run
from wsi_area.run.pipeline import run_slides
from wsi_area.settings.run_settings import load

MM2 = {(-250.0, 0.0): 3.0286, (0.0, 250.0): 3.6932, (250.0, 500.0): 3.7511, (500.0, 1000.0): 8.5159}
