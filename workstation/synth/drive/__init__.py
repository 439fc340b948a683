"""FX-DRIVE: a generated drive with cameras, LiDAR, radar, sound, motion sensors, map, and exact truth."""
