"""The parsing labels in circulation (CelebAMask-HQ's 19, as BiSeNet's face parsing numbers them) and ours.

l and r are the person's own left and right. 0 is background; 19, body skin, is this project's addition.
"""

LABELS = (
    "background", "skin", "l_brow", "r_brow", "l_eye", "r_eye", "eye_g", "l_ear", "r_ear", "ear_r",
    "nose", "mouth", "u_lip", "l_lip", "neck", "neck_l", "cloth", "hair", "hat", "body_skin",
)  # fmt: skip
INDEX = {name: number for number, name in enumerate(LABELS)}
HEAD = frozenset(range(1, 15)) | {17}  # face, neck and hair; a hat is a choice
SKIN = frozenset(INDEX[n] for n in ("skin", "l_ear", "r_ear", "nose", "neck", "body_skin"))
FACE_SKIN = frozenset(INDEX[n] for n in ("skin", "nose"))
EYES = frozenset({4, 5})
MOUTH = frozenset({11, 12, 13})
