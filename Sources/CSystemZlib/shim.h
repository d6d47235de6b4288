// The system's zlib, as Debian's zlib1g-dev installs it.
#pragma once
#include <zlib.h>
