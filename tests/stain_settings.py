"""What a user says of a stain."""

POSITIVE_IS_TUMOUR = (
    'segmenter.classes=[{id=0,name="background",color="#ffffff"},{id=1,name="negative",color="#5c7cc8",is_tissue=true},'
    + ",".join(
        f'{{id={k},name="{name}",color="{color}",is_tissue=true,is_tumor=true}}'
        for k, name, color in ((2, "weak", "#f6d860"), (3, "moderate", "#eb8c34"), (4, "strong", "#a0281e"))
    )
    + "]"
)
"""The setting that says of the bands of a stain that what is positive is tumour."""
