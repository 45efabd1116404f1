"""wsi_area: ``python -m wsi_area`` is the command line of this very Python, wherever `wsi-area` lies."""

from wsi_area.cli.main import main

if __name__ == "__main__":
    main()
