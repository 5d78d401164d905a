" cg.vim - colours for scripts of cg.
if exists("b:current_syntax")
    finish
endif

syntax keyword cgDeclare import plugin option graph def param vjp test claim cg
syntax keyword cgControl for in if then else return
syntax keyword cgStage train evaluate on as show save expect recompute where over
syntax keyword cgOperator and or not
syntax keyword cgConstant true false none pi inf training
syntax keyword cgType f32 f64 f16 bf16 i32 i64 i8 bool int float str list record any index

syntax match cgNumber "\<\d[0-9_]*\(\.\d[0-9_]*\)\?\([eE][+-]\?\d\+\)\?\>"
syntax match cgRow "\.\.\w\+"
syntax match cgArrow "->"
syntax region cgString start=+"+ skip=+\\.+ end=+"+ oneline contains=cgEscape,cgValue
syntax match cgEscape "\\\(u{\x\+}\|.\)" contained
syntax match cgValue "{[^}\"]*}" contained
syntax match cgComment "#.*$" contains=cgTodo
syntax match cgDoc "##.*$"
syntax keyword cgTodo TODO FIXME contained

highlight default link cgDeclare Keyword
highlight default link cgControl Conditional
highlight default link cgStage Statement
highlight default link cgOperator Operator
highlight default link cgConstant Constant
highlight default link cgType Type
highlight default link cgNumber Number
highlight default link cgRow Identifier
highlight default link cgArrow Operator
highlight default link cgString String
highlight default link cgEscape SpecialChar
highlight default link cgValue Special
highlight default link cgComment Comment
highlight default link cgDoc SpecialComment
highlight default link cgTodo Todo

let b:current_syntax = "cg"
