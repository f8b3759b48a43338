"""Every module whose words enter themselves into `words.WORDS`; importing this one fills the table."""

from ringscope_core.gdb import words_breakpoints as words_breakpoints
from ringscope_core.gdb import words_data as words_data
from ringscope_core.gdb import words_info as words_info
from ringscope_core.gdb import words_machine as words_machine
from ringscope_core.gdb import words_monitor as words_monitor
from ringscope_core.gdb import words_move as words_move
from ringscope_core.gdb import words_settings as words_settings
from ringscope_core.gdb import words_tables as words_tables
