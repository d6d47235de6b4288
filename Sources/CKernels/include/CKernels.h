#pragma once
#include <stddef.h>
size_t swk_version(void);
