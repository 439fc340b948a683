"""Six points written by three versions of pandas, packed and in base 64.

x = 0.5 + i, y = -i, z = 2, i = 10 i, t = 1557539924.5 + i ms, d = 0 for the first three and 1 for the others.
"""

from __future__ import annotations

import base64

TABLES = {
    name: base64.b64decode(text)
    for name, text in {
        "1.0.5": (
            "H4sIAG6KAWsC/5WUz2/TMBTHk5GEMjaxoRXYZRoSsA6haJWGhARiHZsmjYgidp8ip/HqQJJWiQMrotI4bFDh2x5/D1z4G7jy"
            "B3DYkRs8x67UQXvAkvPxr+eXr/2ej6zPLy2jLGK+S9KQ5G6rk1H3ICMJBXFpm3CyU7ZPYfU99KEmbD/EQRBLo+ujlNMsJXHu"
            "JiQlbZrlIGaexJ3Wq2eqr+xr+7jBjfOGIT2kuRuQHP1N+yl94+/KMTRgl4U9bEvPlnJcTYuk21PmSRHziGQZ6aE/P6OtTprz"
            "rGhxNBF2uRDERXRXLjkFzziGLTOAD7AHNc/0nGNgVWGHvNeVEsXU8wcw+KhmLwjzHTSbzae/sZQfb4NDMJAazEMQJm5tvsUa"
            "YeVYQ6A4L6xUnlezOMFd2KxYHCc3I2lb6t2THNHI7jWFnXOScfxVYeW80wXPkQ2KDbPck+IPsAV2XWphi0MltuecAFsSUwfn"
            "FDz6S4EhFWydqTv/saH4S9NqKM5oXtW8pmkcKZx90f2vChXNOc0FTaPxn9Tllu6vaz7W3NbcRS5XP93/vhnMKX5bVlypKw42"
            "FX++UASU/e+ZmcMzi0bOjDXGndiaMaGYEyg9ljc1y67Ii50fc2XYuSnDid1md9gKq7FVGUAYAzp2Jlqa2pLdJSMGtA/CWXPr"
            "625d5QvBUAM2LZxAZmIO6EqOO69JXMiZh6KStDMfJzFdK0ERYTKl2LTzOGrRMl0wrkzptZB/wtgOi1gsY02P0iIvQ97HBMLn"
            "Qibo8OnwE8pJmbH7uCPhHN+EPhSB+wdf38hpdQQAAA=="
        ),
        "1.5.3": (
            "H4sIAAAAAAACA5WTz0/UQBTH27W7oqKACmJiDDEm4GWjiUZNjIAQE2xcIncymbaz24a220yngTWS4IGVjXPj+ffoxb+BK3+A"
            "B47e9M2PjYvCwUlmPm+2b2bf+857e96Xq56jh5wqaB7Rshl2OWu2Oc0YyEurVNDX2j6EBx9hFxakR7IOB3l31D3JBeM5Tctm"
            "RnPaYbwEOf4q7YZbb80ej8sZe4KkSVD+OQJyglR5kYRbKSOBOqOcp/MqK3rm9qxKRUI5pz28lXAWdvNS8CoUyrGuHUFexLu1"
            "yyH4zj6suAF8gg1Y8F2/7jf6EE/IeiR6hcpE1trPYHBgvl+Q7gtotVpvfuHQi+8ICAYrJ0aY40XDn5bekuG45XXLGUtnz+Dk"
            "q91/MxiznLS8aeks/SftuG/3jy1fWq5ariHnpj8/OVoOJg2/zxnOPzIcLBv+eGcImLYcC6oE5c7xXeplmoRMC4oaukouv6bW"
            "+Ep8LZ5SMsc3hiK7WuRZWUtGpI3vnCXsQ+ec4Z5DFVh8T73jaBR92MRynD1dhxHbYWUzoCVW72WSs22ypn7DJOKnsj60dR1H"
            "WNvwbyKNfZ3G+qkK+fBXhSyqRNTfuzsgXSw/9z3OBKfAGQFTUnq5apxW1VeSPZe3z4qU07yjQt1QHAkvXm+h/oJygepLrxTd"
            "AvyGMhgarr6TqQX7EasaW1WlM2xbkjFBdX6b+IxUCGzIXZAN0k5pR5u3aJp2t0sSVQU+MhWMpDRg2I0HZRU0fwOKQKUwGAQA"
            "AA=="
        ),
        "2.3.3": (
            "H4sIAAAAAAACA5WTz2vUQBTHkzW7Vi394Y9aQaSIYL0EBUUFsa0tQg1usfcyTJLZTWiSDZMJ7YqFeujaxbn1+ffoxb/Bq3+A"
            "hx696Zsfi1ttDw7MfN5s3sy+95339r1PU56jh5wtaRHTyo96nPkdTnMG8sIaFfSlto/g3nvYg0XpkbzLQd4ad08LwXhBs8rP"
            "aUG7jFcgJ19kvWj7tdnjcTlnT5AsDas/R0BOk7oo02g7YyRUZ7RzUedl3yf6+rzOREo5p328lnAW9YpK8DoSyrOpPUGex8u1"
            "yxEEzgGsuiF8gE1YDNygGbQGkEzLZiz6pUpFNjpPYHhovp+T7jNot9uvfuHQS+AICIerx0aZ70uGPy29ZcNJy8uWc5bOvsHx"
            "Z7v/YjBhOWN51dJZ/k/accfuH1o+t1yzXEcuXPv46NtKOGP4dcHw7gPD4YrhjzeGgGnLibBOUe4CH6ZZZWnEtKCooavkChpq"
            "TS4lU8mskjm5MhLZ1SLPy0Y6Jm1y8zRh7ztnDPcMqsCS2+odx6MYwBbW4/zJQozZLqv8kFZYvhdJwXbIuvoNk0gey+bI1oUc"
            "Y3HDv4m0DnQaGycq5N1fFbKkElF/7+6CdLH83Lc4U5wCZwxMSekVqnPa9UBJ9lTeOC1STouuCnVTcSy8ZKON+gvKBaovvUr0"
            "SghaymBouPpOphZsSKxq7FWVzqhvSc4E1flt4TNSIbAj90C2SCejXW1ep1nW26lIXJf4yFQwktGQYTseVnXo/wYAmv6GGQQA"
            "AA=="
        ),
        "2.3.3, protocol 5": (
            "H4sIAAAAAAACA5WTz0/UQBTH23V3RdnoirrKhXAwceXQSNTEgxEQYoKNS+ROJtPudNvQX5lOAxhJ8MDKxrn55N/Ri3+DV/8A"
            "Dxy96ZvpEItBEyeZ+bzp/Oj3vXnvoPVxoWnpJq/lNB3SwvEzzpyA04SBvLRGBX2u7Q9w7y3sQ182STLiIOfq26NUMJ7SuHAS"
            "mtIR4wXIzrM487dfVnM8LnvmBIkjr/h9BORVUqZ55G/HjHjqjNp8PS2TfM8h+nq0GY98kNMk4FnilUGgr+wfn1j19m2p4g/D"
            "5nLFjuGMYc/QOqhw8snMP1eYMuwa3jC0lv+Tpt0x84eGTw3XDNeR8zffP/q64nUrfpmveHex4mSl4vdXFUG2dICQQ7GXq+eR"
            "jeAxTI7ewSb03QvSfgKDweDFT2x6cC0Bntty22OQ9ioI3CanvDKKRZTiG7SKOPLVNa6Fm2x1i9tQYzgdXukf37f+3ey/EMIZ"
            "2YhqusLeOapspSqcVZrCOaWxLmAMW5h1t8+m25DtssLxaIFJepmkbIesq2+oP1yUrVNbp+sQUxiTr55PSYleU84pxq9DOPOz"
            "tBC89IU635UX8U96UUXjEFZtDyr1qPNQe7RxJtJv/oj0Evo0UaLtXYw1/sN+jT3CLrAPgeG6bKaqqgblWDn9QM6e5x+n6Ug5"
            "uKlYcyrcGOCDCcoFCpTNQmQ5uG1lMDRsfSdTAxYrZgfWsQrCaU2ThAmqo7KF706FwGrdB9kmQUxH2rxF4zjbKciwzDErqGAk"
            "ph7DUj0qSs/5BWuERLo1BAAA"
        ),
    }.items()
}
