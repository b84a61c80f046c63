# SPDX-License-Identifier: GPL-2.0
"""Numbers of Chalk; those of uapi/chalk.h, which says what they mean."""

AF_CHALK = 19
CHALKPROTO_INET = 0
CHALKPROTO_INET6 = 1
IPPROTO_CHALK = 253
IPPROTO_CHALK_DGRAM = 254
SOL_CHALK = 253
