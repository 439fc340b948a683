"""Names of the COCO classes, as the detectors that packages carry were trained on them. Read by recipes of models."""

from __future__ import annotations

_BY_ID = """person, bicycle, car, motorcycle, airplane, bus, train, truck, boat, traffic light, fire hydrant, ,
stop sign, parking meter, bench, bird, cat, dog, horse, sheep, cow, elephant, bear, zebra, giraffe, , backpack,
umbrella, , , handbag, tie, suitcase, frisbee, skis, snowboard, sports ball, kite, baseball bat, baseball glove,
skateboard, surfboard, tennis racket, bottle, , wine glass, cup, fork, knife, spoon, bowl, banana, apple, sandwich,
orange, broccoli, carrot, hot dog, pizza, donut, cake, chair, couch, potted plant, bed, , dining table, , , toilet, ,
tv, laptop, mouse, remote, keyboard, cell phone, microwave, oven, toaster, sink, refrigerator, , book, clock, vase,
scissors, teddy bear, hair drier, toothbrush"""

COCO_90 = tuple(name.strip() for name in _BY_ID.split(","))
"""By COCO's own ids, the first being 1; gaps are empty: TensorFlow's SSD."""
COCO_80 = tuple(name for name in COCO_90 if name)
"""Without gaps: NanoDet, YOLO, DETR."""
